// Has the certificate been renewed?
// SPDX-License-Identifier: MIT
#include "signaling/tls_files.h"

#include <string.h>
#include <sys/stat.h>

#include "signaling/crypto.h"
#include "signaling/log.h"

// False: there is no such file at the moment.
static bool look_at(const char *path, int64_t seen[3])
{
    struct stat st;
    if (stat(path, &st) < 0) // follows links: certbot renews by pointing elsewhere
        return false;
    seen[0] = (int64_t)st.st_ino;
    seen[1] = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
    seen[2] = st.st_size;
    return true;
}

void tls_files_init(struct tls_files *files, const struct config *config)
{
    *files = (struct tls_files){.cert = config->tls_cert, .key = config->tls_key};
    if (files->cert)
        (void)(look_at(files->cert, files->taken[0]) && look_at(files->key, files->taken[1]));
}

bool tls_files_changed(struct tls_files *files, bool at_once, int64_t now_us)
{
    int64_t seen[2][3];
    char err[200];
    bool is_of_key;
    if (!files->cert || (!at_once && now_us - files->looked_us < TLS_FILES_EVERY_S * INT64_C(1000000)))
        return false;
    files->looked_us = now_us;
    if (!look_at(files->cert, seen[0]) || !look_at(files->key, seen[1]))
        return false;
    if (!at_once && memcmp(seen, files->taken, sizeof(seen)) == 0)
        return false;
    if (!crypto_check_pair(files->cert, files->key, &is_of_key, err, sizeof(err))) {
        if (at_once || !files->has_complained)
            log_warn("tls", "the certificate is not renewed yet: %s", err);
        files->has_complained = true;
        return false;
    }
    memcpy(files->taken, seen, sizeof(seen));
    files->has_complained = false;
    return true;
}
