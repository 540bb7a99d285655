// How much does one user, or one place, do over all its sockets?
// SPDX-License-Identifier: MIT
#include "signaling/account.h"

static void account_free(void *arg)
{
    struct account *account = arg;
    g_free(account->key);
    g_free(account);
}

GHashTable *accounts_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, account_free);
}

unsigned accounts_sockets(GHashTable *book, const char *key)
{
    const struct account *account = g_hash_table_lookup(book, key);
    return account ? account->socket_count : 0;
}

struct account *account_open(GHashTable *book, const char *key, const struct bucket *messages)
{
    struct account *account = g_hash_table_lookup(book, key);
    if (!account) {
        account = g_new0(struct account, 1);
        account->book = book;
        account->key = g_strdup(key);
        account->messages = *messages;
        g_hash_table_insert(book, account->key, account);
    }
    account->socket_count++;
    return account;
}

void account_close(struct account *account)
{
    if (account && --account->socket_count == 0)
        g_hash_table_remove(account->book, account->key);
}
