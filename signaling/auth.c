// Who is this, and what may they do? (JSON Web Tokens, RFC 7519, in the compact form of RFC 7515)
// SPDX-License-Identifier: MIT
#include "signaling/auth.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "signaling/crypto.h"

static const double DATE_MAX_S = 1e12; // a later date is never

struct auth {
    char *secret;           // HS256, or NULL
    struct crypto_key *key; // RS256 or ES256, or NULL
};

static const char *const role_names[] = {"observer", "participant", "host"};

const char *role_name(enum role role)
{
    return role_names[role];
}

bool role_parse(const char *name, enum role *role)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(role_names); i++) {
        if (strcmp(role_names[i], name) == 0) {
            *role = (enum role)i;
            return true;
        }
    }
    return false;
}

void identity_copy(struct identity *to, const struct identity *from)
{
    *to = *from;
    to->name = g_strdup(from->name);
    to->avatar = g_strdup(from->avatar);
    to->rooms = g_strdupv(from->rooms);
}

void identity_clear(struct identity *identity)
{
    g_free(identity->name);
    g_free(identity->avatar);
    g_strfreev(identity->rooms);
    *identity = (struct identity){0};
}

bool identity_is_over(const struct identity *identity, int64_t wall_ms)
{
    return identity->expires_ms && wall_ms >= identity->expires_ms;
}

bool identity_covers(const struct identity *identity, const char *room)
{
    for (char **one = identity->rooms; one && *one; one++)
        if (strcmp(*one, "*") == 0 || strcmp(*one, room) == 0)
            return true;
    return false;
}

bool is_user_id(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (!g_ascii_isgraph(text[i]))
            return false;
    return len > 0 && len <= USER_MAX && strcmp(text, "sfu") != 0;
}

bool is_room_id(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr("-._~", text[i]))
            return false;
    return len > 0 && len <= ROOM_ID_MAX && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

// ---- the key ------------------------------------------------------------------------------------------------

// A .env file writes a PEM in one line, with \n for each line's end.
static char *read_pem(const char *setting, char *err, size_t err_size)
{
    if (g_str_has_prefix(setting, "-----BEGIN")) {
        char **lines = g_strsplit(setting, "\\n", -1);
        char *pem = g_strjoinv("\n", lines);
        g_strfreev(lines);
        return pem;
    }
    char *pem = NULL;
    if (!g_file_get_contents(setting, &pem, NULL, NULL))
        g_snprintf(err, err_size, "JWT_PUBLIC_KEY: it is neither PEM text nor a file that can be read");
    return pem;
}

struct auth *auth_new(const struct config *config, char *err, size_t err_size)
{
    struct auth *auth = g_new0(struct auth, 1);
    auth->secret = g_strdup(config->jwt_secret);
    if (!config->jwt_public_key)
        return auth;
    char *pem = read_pem(config->jwt_public_key, err, err_size);
    char why[120] = "";
    if (pem)
        auth->key = crypto_key_parse(pem, why, sizeof(why));
    g_free(pem);
    if (auth->key)
        return auth;
    if (why[0])
        g_snprintf(err, err_size, "JWT_PUBLIC_KEY: %s", why);
    auth_free(auth);
    return NULL;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    g_free(auth->secret);
    crypto_key_free(auth->key);
    g_free(auth);
}

bool auth_is_open(const struct auth *auth)
{
    return !auth->secret && !auth->key;
}

// ---- the token ----------------------------------------------------------------------------------------------

// header.claims.signature, each in base64url; `signed_len` spans the first two and their dot.
struct token {
    const char *text;
    size_t signed_len;
    uint8_t signature[TOKEN_MAX];
    size_t signature_len;
    json_t *header, *claims;
};

static json_t *part_json(const char *text, size_t len)
{
    uint8_t bytes[TOKEN_MAX];
    int n = crypto_base64url_read(text, len, bytes, sizeof(bytes));
    if (n < 0)
        return NULL;
    json_t *json = json_loadb((const char *)bytes, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

static const char *token_parse(struct token *token, const char *text)
{
    *token = (struct token){.text = text};
    const char *dot = strchr(text, '.');
    const char *last = dot ? strchr(dot + 1, '.') : NULL;
    if (strlen(text) > TOKEN_MAX || !last)
        return "the token is not a JSON Web Token";
    token->signed_len = (size_t)(last - text);
    int n = crypto_base64url_read(last + 1, strlen(last + 1), token->signature, sizeof(token->signature));
    if (n < 0)
        return "the token's signature is not base64url";
    token->signature_len = (size_t)n;
    token->header = part_json(text, (size_t)(dot - text));
    token->claims = part_json(dot + 1, (size_t)(last - dot - 1));
    return token->header && token->claims ? NULL : "the token's header or claims are not JSON";
}

static bool is_signed(const struct auth *auth, const struct token *token)
{
    if (auth->key)
        return crypto_key_verify(auth->key, token->text, token->signed_len, token->signature, token->signature_len);
    uint8_t mac[CRYPTO_SHA256_BYTES];
    crypto_hmac_sha256(auth->secret, token->text, token->signed_len, mac);
    return token->signature_len == sizeof(mac) && crypto_equal(mac, token->signature, sizeof(mac));
}

static const char *check_signature(const struct auth *auth, const struct token *token)
{
    const char *algorithm = json_string_value(json_object_get(token->header, "alg"));
    const char *trusted = auth->key ? crypto_key_algorithm(auth->key) : "HS256";
    if (!algorithm || strcmp(algorithm, trusted) != 0)
        return "the token is signed with another algorithm than this server trusts";
    if (json_object_get(token->header, "crit"))
        return "the token demands an extension this server does not know";
    return is_signed(auth, token) ? NULL : "the token's signature is wrong";
}

// NumericDate (RFC 7519 section 2): seconds, perhaps with a fraction.
static bool read_date(const json_t *claims, const char *name, double *seconds)
{
    const json_t *value = json_object_get(claims, name);
    if (!value)
        return true;
    *seconds = json_number_value(value);
    return json_is_number(value) && isfinite(*seconds);
}

static const char expired[] = "the token has expired";

static const char *check_dates(const json_t *claims, int64_t wall_ms, int64_t *expires_ms)
{
    double now = (double)wall_ms / 1e3, exp = INFINITY, nbf = -INFINITY;
    if (!read_date(claims, "exp", &exp) || !read_date(claims, "nbf", &nbf))
        return "the token's exp or nbf is not a number";
    if (now >= exp + AUTH_LEEWAY_S)
        return expired;
    *expires_ms = exp < DATE_MAX_S ? (int64_t)((exp + AUTH_LEEWAY_S) * 1e3) : 0;
    return now < nbf - AUTH_LEEWAY_S ? "the token is not valid yet" : NULL;
}

static const char *read_text(const json_t *claims, const char *name, size_t max, char **out)
{
    const json_t *value = json_object_get(claims, name);
    if (!value)
        return NULL;
    if (!json_is_string(value) || json_string_length(value) > max)
        return "the token's name or avatar is not a text, or too long";
    *out = g_strdup(json_string_value(value));
    return NULL;
}

static const char *read_rooms(const json_t *claims, char ***rooms)
{
    const json_t *room = json_object_get(claims, "room"), *item;
    size_t i, n = json_is_array(room) ? json_array_size(room) : 1;
    if (!room)
        return NULL;
    *rooms = g_new0(char *, n + 1);
    if (json_is_string(room))
        (*rooms)[0] = g_strdup(json_string_value(room));
    json_array_foreach(room, i, item)(*rooms)[i] = g_strdup(json_is_string(item) ? json_string_value(item) : "");
    return json_is_string(room) || json_is_array(room) ? NULL : "the token's room is neither an id nor a list of ids";
}

static const char *read_record(const json_t *claims, enum claim *record)
{
    const json_t *value = json_object_get(claims, "record");
    *record = !value ? CLAIM_UNSAID : json_is_true(value) ? CLAIM_TRUE : CLAIM_FALSE;
    return !value || json_is_boolean(value) ? NULL : "the token's record is neither true nor false";
}

static const char *read_claims(const json_t *claims, struct identity *identity)
{
    const json_t *sub = json_object_get(claims, "sub"), *role = json_object_get(claims, "role");
    if (!json_is_string(sub) || !is_user_id(json_string_value(sub)))
        return "the token's sub is not a user id";
    g_strlcpy(identity->user, json_string_value(sub), sizeof(identity->user));
    identity->role = ROLE_PARTICIPANT;
    if (role && (!json_is_string(role) || !role_parse(json_string_value(role), &identity->role)))
        return "the token's role is not host, participant or observer";
    const char *fault = read_text(claims, "name", NAME_MAX_BYTES, &identity->name);
    if (!fault)
        fault = read_text(claims, "avatar", AVATAR_MAX, &identity->avatar);
    if (!fault)
        fault = read_record(claims, &identity->record);
    return fault ? fault : read_rooms(claims, &identity->rooms);
}

static const char *check(const struct auth *auth, struct token *token, const char *text, int64_t wall_ms,
                         struct identity *identity)
{
    if (auth_is_open(auth))
        return "this server has no key to check a token with";
    const char *fault = token_parse(token, text);
    if (!fault)
        fault = check_signature(auth, token);
    if (!fault)
        fault = check_dates(token->claims, wall_ms, &identity->expires_ms);
    return fault ? fault : read_claims(token->claims, identity);
}

int auth_verify(const struct auth *auth, const char *text, int64_t wall_ms, struct identity *identity, char *err,
                size_t err_size)
{
    struct token token = {0};
    *identity = (struct identity){0};
    const char *fault = check(auth, &token, text, wall_ms, identity);
    json_decref(token.header);
    json_decref(token.claims);
    if (!fault)
        return 0;
    identity_clear(identity);
    g_snprintf(err, err_size, "%s", fault);
    return fault == expired ? -ETIME : -EACCES;
}
