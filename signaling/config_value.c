// What does the text of one setting mean?
// SPDX-License-Identifier: MIT
#include "signaling/config_value.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

// Words between commas, with or without brackets: a shell that read a .env file has taken the quotes of a JSON array
// away.
static char **parse_words(const char *value)
{
    GPtrArray *list = g_ptr_array_new();
    char **words = g_strsplit(value, ",", -1);
    for (char **word = words; *word; word++) {
        const char *bare = g_strstrip(g_strdelimit(*word, "[]\"'", ' '));
        if (*bare)
            g_ptr_array_add(list, g_strdup(bare));
    }
    g_strfreev(words);
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

bool value_list(const char *value, char ***out)
{
    json_t *array = json_loads(value, 0, NULL), *item;
    size_t count = json_array_size(array), i;
    bool ok = true;
    char **list = array ? g_new0(char *, count + 1) : parse_words(value);
    json_array_foreach(array, i, item)
    {
        ok = ok && json_is_string(item);
        list[i] = g_strdup(json_is_string(item) ? json_string_value(item) : "");
    }
    ok = ok && (!array || json_is_array(array));
    json_decref(array);
    g_strfreev(ok ? *out : list);
    if (ok)
        *out = list;
    return ok;
}

bool value_number(const char *value, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    errno = 0;
    int64_t n = g_ascii_strtoll(value, &end, 10);
    if (errno || end == value || *end || n < min || n > max)
        return false;
    *out = n;
    return true;
}

bool value_flag(const char *value, bool *out)
{
    static const char *const yes[] = {"true", "1", "yes", "on", NULL}, *const no[] = {"false", "0", "no", "off",
                                                                                      NULL};
    *out = g_strv_contains(yes, value);
    return *out || g_strv_contains(no, value);
}

bool value_choice(const char *value, const char *choices, int64_t *out)
{
    char **words = g_strsplit(choices, "|", -1);
    int64_t found = -1;
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], value) == 0)
            found = i;
    g_strfreev(words);
    if (found >= 0)
        *out = found;
    return found >= 0;
}

bool value_ports(const char *value, int64_t ports[2])
{
    char **ends = g_strsplit(value, "-", 2);
    bool ok = ends[0] && ends[1] && value_number(ends[0], 1, 65535, &ports[0]) &&
              value_number(ends[1], ports[0], 65535, &ports[1]);
    g_strfreev(ends);
    return ok;
}

// {urls, username, credential}, or {urls, secret} for one that makes them up from a shared secret; nothing else, for
// what is misspelt would be told to browsers.
static bool is_turn_server(json_t *item)
{
    static const char *const keys[] = {"urls", "username", "credential", "secret", NULL};
    json_t *urls = json_object_get(item, "urls"), *url, *value;
    bool has_secret = json_object_get(item, "secret") != NULL, ok = json_is_string(urls) || json_array_size(urls) > 0;
    const char *key;
    size_t i;
    json_array_foreach(urls, i, url) ok = ok && json_is_string(url);
    json_object_foreach(item, key, value)
    {
        ok = ok && g_strv_contains(keys, key) && (strcmp(key, "urls") == 0 || json_is_string(value));
    }
    return ok && !(has_secret && json_object_size(item) != 2);
}

bool value_objects(const char *value, json_t **out)
{
    json_t *array = json_loads(value, 0, NULL);
    bool ok = json_is_array(array);
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item) ok = ok && is_turn_server(item);
    if (!ok) {
        json_decref(array);
        return false;
    }
    json_decref(*out);
    *out = array;
    return true;
}
