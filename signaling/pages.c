// Which file is the page, and which files does it need? (WEB_DIR, read-only)
// SPDX-License-Identifier: MIT
#include "signaling/pages.h"

#include <glib.h>
#include <string.h>

#include "signaling/auth.h"

static const char *const page_paths[] = {"/", "/teste-video", "/video", "/calls"};
static const char *const page_prefixes[] = {"/medico/", "/paciente/", "/video/", "/participant/"}; // then a room id

static const struct {
    const char *suffix, *content_type;
} kinds[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".mp3", "audio/mpeg"},
    {".ogg", "audio/ogg"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
};

static bool is_page(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(page_paths); i++)
        if (strcmp(page_paths[i], path) == 0)
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(page_prefixes); i++)
        if (g_str_has_prefix(path, page_prefixes[i]) && is_room_id(path + strlen(page_prefixes[i])))
            return true;
    return false;
}

// Names of letters, digits and . - _ between single slashes, none beginning with a dot: such a path cannot leave its
// folder.
static bool is_safe(const char *path)
{
    if (path[0] != '/')
        return false;
    for (const char *c = path; *c; c++) {
        if (*c == '/' && !g_ascii_isalnum(c[1]) && c[1] != '_')
            return false;
        if (*c != '/' && !g_ascii_isalnum(*c) && !strchr("._-", *c))
            return false;
    }
    return true;
}

static const char *content_type(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_has_suffix(path, kinds[i].suffix))
            return kinds[i].content_type;
    return NULL;
}

bool pages_serve(const struct config *config, const struct http_request *request, struct http_response *response)
{
    const char *name = is_page(request->path) ? "/index.html" : request->path;
    const char *type = content_type(name);
    if (!is_safe(name) || !type)
        return false;
    char *file = g_build_filename(config->web_dir, name + 1, NULL);
    http_file(response, request, file, type);
    g_free(file);
    return response->status != 404;
}
