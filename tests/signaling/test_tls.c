// Does the server speak TLS when it is given a certificate, and say what is wrong with one that is not?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/signaling/wire.h"

static char *folder, *cert_setting, *key_setting;

static char *setting(const char *name, const char *file)
{
    return g_strdup_printf("%s=%s/%s", name, folder, file);
}

static FILE *create(const char *setting_text)
{
    FILE *file = fopen(strchr(setting_text, '=') + 1, "w");
    assert_non_null(file);
    return file;
}

// A self-signed certificate of localhost.
static int set_up(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("roda-tls-XXXXXX", NULL);
    cert_setting = setting("TLS_CERT", "cert.pem");
    key_setting = setting("TLS_KEY", "key.pem");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *cert_file = create(cert_setting), *key_file = create(key_setting);
    assert_true(PEM_write_X509(cert_file, cert) && PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL));
    fclose(cert_file);
    fclose(key_file);
    X509_free(cert);
    EVP_PKEY_free(key);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    g_remove(strchr(cert_setting, '=') + 1);
    g_remove(strchr(key_setting, '=') + 1);
    g_rmdir(folder);
    g_free(cert_setting);
    g_free(key_setting);
    g_free(folder);
    return 0;
}

static void test_https(void **state)
{
    (void)state;
    const char *const environment[] = {cert_setting, key_setting, NULL};
    struct process process = process_start(environment);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    int fd = http_connect(&process);
    SSL_set_fd(ssl, fd);
    assert_int_equal(SSL_connect(ssl), 1);
    static const char request[] = "POST /api/rooms HTTP/1.1\r\nHost: roda.example\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(SSL_write(ssl, request, (int)strlen(request)), strlen(request));
    GString *answer = g_string_new(NULL);
    char piece[1024];
    while (!strstr(answer->str, "joinURL")) {
        int n = SSL_read(ssl, piece, sizeof(piece));
        assert_true(n > 0);
        g_string_append_len(answer, piece, n);
    }
    assert_true(g_str_has_prefix(answer->str, "HTTP/1.1 201"));
    assert_non_null(strstr(answer->str, "https://roda.example/participant/"));
    g_string_free(answer, TRUE);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    assert_int_equal(process_stop(&process), 0);
}

static void test_bad_certificate(void **state)
{
    (void)state;
    char text[8192];
    const char *const swapped[] = {"PORT=0", "LOG_LEVEL=error", key_setting, "TLS_CERT=/nonexistent.pem", NULL};
    assert_int_equal(process_run(NULL, swapped, text, sizeof(text)), 1);
    assert_non_null(strstr(text, "TLS_CERT"));
    const char *const alone[] = {"PORT=0", cert_setting, NULL};
    assert_int_equal(process_run(NULL, alone, text, sizeof(text)), 2);
    assert_non_null(strstr(text, "TLS_KEY"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_https), cmocka_unit_test(test_bad_certificate)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
