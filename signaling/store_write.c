// What does each kind of write do in the database?
// SPDX-License-Identifier: MIT
#include "signaling/store_write.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

// Parameters count from ?1 in the order of the letter's values. The notes of changes come before what they compare
// with is changed.
static const char *const sql[STORE_KIND_COUNT][PEN_STATEMENTS_MAX] = {
    [STORE_CALL] =
        {
            "INSERT INTO calls (id, room, type, status, initiator, initiator_name, chat_id, room_name, ended_by,"
            " reason, started_ms, answered_ms, connected_ms, ended_ms, changed_ms)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
            " ON CONFLICT (id) DO UPDATE SET room = ?2, status = ?4, initiator_name = ?6, room_name = ?8,"
            " ended_by = ?9, reason = ?10, answered_ms = ?12, connected_ms = ?13, ended_ms = ?14, changed_ms = ?15",
            "INSERT INTO states (call, at_ms, status, by, reason) SELECT ?1, ?15, ?4, ?9, ?10"
            " WHERE ?4 IS NOT (SELECT status FROM states WHERE call = ?1 ORDER BY rowid DESC LIMIT 1)",
        },
    [STORE_PARTICIPANT] =
        {
            "INSERT INTO media (call, user, at_ms, is_muted, is_video_enabled, is_sharing_screen)"
            " SELECT ?1, ?2, ?12, ?6, ?7, ?8 FROM participants WHERE call = ?1 AND user = ?2"
            " AND (is_muted, is_video_enabled, is_sharing_screen) IS NOT (?6, ?7, ?8)",
            "INSERT INTO participants (call, user, name, status, reason, is_muted, is_video_enabled,"
            " is_sharing_screen, invited_ms, joined_ms, left_ms, started_ms, type, chat_id)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, (SELECT started_ms FROM calls WHERE id = ?1),"
            " (SELECT type FROM calls WHERE id = ?1), (SELECT chat_id FROM calls WHERE id = ?1))"
            " ON CONFLICT (call, user) DO UPDATE SET name = ?3, status = ?4, reason = ?5, is_muted = ?6,"
            " is_video_enabled = ?7, is_sharing_screen = ?8, invited_ms = ?9, joined_ms = ?10, left_ms = ?11",
            "UPDATE calls SET changed_ms = max(changed_ms, ?12) WHERE id = ?1",
        },
    [STORE_CHAT] =
        {
            "INSERT INTO chat (id, call, room, sender, receiver, text, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            "UPDATE calls SET changed_ms = max(changed_ms, ?7) WHERE id = ?2",
        },
    [STORE_DELIVERY] =
        {
            "INSERT INTO deliveries (id, url, subject, body, created_ms, next_ms, attempts)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        },
    [STORE_RETRY] = {"UPDATE deliveries SET attempts = ?3, next_ms = ?4 WHERE id = ?1 AND url = ?2"},
    [STORE_DELIVERED] = {"DELETE FROM deliveries WHERE id = ?1 AND url = ?2"},
    [STORE_EXPIRE] =
        {
            "DELETE FROM calls WHERE id IN"
            " (SELECT id FROM calls WHERE started_ms < ?1 AND ended_ms <> 0 ORDER BY started_ms LIMIT ?2)",
            "DELETE FROM chat WHERE id IN (SELECT id FROM chat WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)",
            "DELETE FROM deliveries WHERE n IN"
            " (SELECT n FROM deliveries WHERE created_ms < ?1 ORDER BY created_ms LIMIT ?2)",
        },
};

// ---- letters ------------------------------------------------------------------------------------------------

static struct letter_value text(const char *value)
{
    return (struct letter_value){.is_text = true, .text = value};
}

static struct letter_value number(int64_t value)
{
    return (struct letter_value){.number = value};
}

static struct letter *letter_new(enum store_kind kind, const struct letter_value *values, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += values[i].text ? strlen(values[i].text) + 1 : 0;
    struct letter *letter = g_malloc0(sizeof(*letter) + len);
    char *at = letter->texts;
    g_assert(count <= LETTER_VALUES_MAX);
    letter->kind = kind;
    letter->count = (unsigned)count;
    memcpy(letter->values, values, count * sizeof(*values));
    for (size_t i = 0; i < count; i++) {
        if (!values[i].text)
            continue;
        letter->values[i].text = at;
        at = g_stpcpy(at, values[i].text) + 1;
    }
    return letter;
}

struct letter *letter_call(const struct store_call *c)
{
    const struct letter_value values[] = {
        text(c->id),
        text(c->room),
        text(c->type),
        text(c->status),
        text(c->initiator),
        text(c->initiator_name),
        text(c->chat_id),
        text(c->room_name),
        text(c->ended_by),
        text(c->reason),
        number(c->started_ms),
        number(c->answered_ms),
        number(c->connected_ms),
        number(c->ended_ms),
        number(c->changed_ms),
    };
    return letter_new(STORE_CALL, values, G_N_ELEMENTS(values));
}

struct letter *letter_participant(const struct store_participant *p)
{
    const struct letter_value values[] = {
        text(p->call),
        text(p->user),
        text(p->name),
        text(p->status),
        text(p->reason),
        number(p->is_muted),
        number(p->is_video_enabled),
        number(p->is_sharing_screen),
        number(p->invited_ms),
        number(p->joined_ms),
        number(p->left_ms),
        number(p->changed_ms),
    };
    return letter_new(STORE_PARTICIPANT, values, G_N_ELEMENTS(values));
}

struct letter *letter_chat(const struct store_chat *c)
{
    const struct letter_value values[] = {text(c->id), text(c->call), text(c->room),   text(c->from),
                                          text(c->to), text(c->text), number(c->at_ms)};
    return letter_new(STORE_CHAT, values, G_N_ELEMENTS(values));
}

struct letter *letter_delivery(const struct store_delivery *d)
{
    const struct letter_value values[] = {text(d->id),        text(d->url),          text(d->subject),
                                          text(d->body),      number(d->created_ms), number(d->next_ms),
                                          number(d->attempts)};
    return letter_new(STORE_DELIVERY, values, G_N_ELEMENTS(values));
}

struct letter *letter_retry(const struct store_delivery *d)
{
    const struct letter_value values[] = {text(d->id), text(d->url), number(d->attempts), number(d->next_ms)};
    return letter_new(STORE_RETRY, values, G_N_ELEMENTS(values));
}

struct letter *letter_delivered(const char *id, const char *url)
{
    const struct letter_value values[] = {text(id), text(url)};
    return letter_new(STORE_DELIVERED, values, G_N_ELEMENTS(values));
}

struct letter *letter_expire(int64_t before_ms)
{
    const struct letter_value values[] = {number(before_ms), number(EXPIRE_STEP)};
    return letter_new(STORE_EXPIRE, values, G_N_ELEMENTS(values));
}

// ---- the pen ------------------------------------------------------------------------------------------------

bool pen_init(struct pen *pen, struct db *db)
{
    *pen = (struct pen){.db = db};
    for (size_t kind = 0; kind < STORE_KIND_COUNT; kind++)
        for (size_t i = 0; i < PEN_STATEMENTS_MAX && sql[kind][i]; i++)
            if (!(pen->statements[kind][i] = db_prepare(db, sql[kind][i])))
                return false;
    return true;
}

void pen_clear(struct pen *pen)
{
    for (size_t kind = 0; kind < STORE_KIND_COUNT; kind++)
        for (size_t i = 0; i < PEN_STATEMENTS_MAX; i++)
            db_finish(pen->statements[kind][i]);
    *pen = (struct pen){0};
}

static int run(struct db_statement *statement, const struct letter *letter)
{
    for (unsigned i = 0; i < letter->count; i++) {
        const struct letter_value *value = &letter->values[i];
        if (value->is_text)
            db_bind_text(statement, (int)i + 1, value->text);
        else
            db_bind_number(statement, (int)i + 1, value->number);
    }
    int rc = db_step(statement);
    db_reset(statement);
    return rc;
}

int pen_apply(struct pen *pen, const struct letter *letter, bool *is_refused)
{
    bool is_expire = letter->kind == STORE_EXPIRE;
    int64_t erased = 0;
    *is_refused = false;
    for (size_t i = 0; i < PEN_STATEMENTS_MAX && pen->statements[letter->kind][i]; i++) {
        int rc = run(pen->statements[letter->kind][i], letter);
        if (rc == -EINVAL)
            *is_refused = true;
        else if (rc < 0)
            return rc;
        else if (is_expire)
            erased += db_changes(pen->db);
    }
    if (is_expire)
        pen->is_erasing = erased > 0;
    pen->has_erased |= pen->is_erasing;
    return 0;
}

void pen_tidy(struct pen *pen)
{
    if (pen->is_erasing || !pen->has_erased)
        return;
    // 0 in the first column: nobody was reading, the log is empty now.
    pen->has_erased = db_ask(pen->db, "PRAGMA wal_checkpoint(TRUNCATE)") != 0;
}
