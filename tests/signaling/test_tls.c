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
#include <signal.h>
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

// A self-signed certificate of localhost with that serial number, and its key.
static void make_pair(long serial, EVP_PKEY **key, X509 **cert)
{
    *key = EVP_EC_gen("P-256");
    *cert = X509_new();
    X509_set_version(*cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(*cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(*cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(*cert), 3600);
    X509_set_pubkey(*cert, *key);
    X509_NAME *name = X509_get_subject_name(*cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(*cert, name);
    assert_true(X509_sign(*cert, *key, EVP_sha256()) > 0);
}

static void write_cert(X509 *cert)
{
    FILE *file = create(cert_setting);
    assert_true(PEM_write_X509(file, cert));
    fclose(file);
    X509_free(cert);
}

static void write_key(EVP_PKEY *key)
{
    FILE *file = create(key_setting);
    assert_true(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    EVP_PKEY_free(key);
}

static int set_up(void **state)
{
    (void)state;
    EVP_PKEY *key;
    X509 *cert;
    folder = g_dir_make_tmp("roda-tls-XXXXXX", NULL);
    cert_setting = setting("TLS_CERT", "cert.pem");
    key_setting = setting("TLS_KEY", "key.pem");
    make_pair(1, &key, &cert);
    write_cert(cert);
    write_key(key);
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
    static const char request[] = "POST /api/rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(SSL_write(ssl, request, (int)strlen(request)), strlen(request));
    GString *answer = g_string_new(NULL);
    char piece[1024];
    while (!strstr(answer->str, "joinURL")) {
        int n = SSL_read(ssl, piece, sizeof(piece));
        assert_true(n > 0);
        g_string_append_len(answer, piece, n);
    }
    assert_true(g_str_has_prefix(answer->str, "HTTP/1.1 201"));
    assert_non_null(strstr(answer->str, "https://localhost/participant/"));
    g_string_free(answer, TRUE);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    assert_int_equal(process_stop(&process), 0);
}

// The serial number of the certificate a new connection is shown.
static long serial_shown(const struct process *process)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    int fd = http_connect(process);
    SSL_set_fd(ssl, fd);
    assert_int_equal(SSL_connect(ssl), 1);
    X509 *cert = SSL_get1_peer_certificate(ssl);
    long serial = ASN1_INTEGER_get(X509_get_serialNumber(cert));
    X509_free(cert);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return serial;
}

// The two files change one after the other, as whoever renews them writes them; in between the old pair serves.
static void test_renewal(void **state)
{
    (void)state;
    const char *const environment[] = {cert_setting, key_setting, NULL};
    struct process process = process_start(environment);
    EVP_PKEY *key;
    X509 *cert;
    assert_int_equal(serial_shown(&process), 1);
    make_pair(2, &key, &cert);
    write_cert(cert);
    kill(process.pid, SIGHUP);
    for (int i = 0; i < 5; i++)
        assert_int_equal(serial_shown(&process), 1);
    write_key(key);
    kill(process.pid, SIGHUP);
    gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    while (serial_shown(&process) != 2)
        assert_true(g_get_monotonic_time() < end);
    assert_int_equal(process_stop(&process), 0);
}

static void test_bad_certificate(void **state)
{
    (void)state;
    char text[8192];
    const char *const swapped[] = {"PORT=0", "LOG_LEVEL=error", key_setting, "TLS_CERT=/nonexistent.pem", NULL};
    assert_int_equal(process_run(NULL, swapped, text, sizeof(text)), 2);
    assert_non_null(strstr(text, "TLS_CERT"));
    const char *const alone[] = {"PORT=0", cert_setting, NULL};
    assert_int_equal(process_run(NULL, alone, text, sizeof(text)), 2);
    assert_non_null(strstr(text, "TLS_KEY"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_https), cmocka_unit_test(test_renewal),
                                       cmocka_unit_test(test_bad_certificate)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
