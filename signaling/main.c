// How does the server start and stop? (roda: settings, identity, listening, media, until SIGTERM)
// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "signaling/archive.h"
#include "signaling/hooks.h"
#include "signaling/hub.h"
#include "signaling/librarian.h"
#include "signaling/log.h"
#include "signaling/place.h"
#include "signaling/server.h"
#include "signaling/webhook.h"

extern char **environ;

enum {
    START_FAILED = 1,
    USAGE_WRONG = 2,
    BUSY_NEVER = 1000, // per cent
    FILES_MAX = 65536, // libwebsockets reserves memory for each descriptor the process may open
};

static struct server *running;

static void on_signal(int number)
{
    server_stop(running, number == SIGINT);
}

static void on_hangup(int number)
{
    (void)number;
    server_reload(running);
}

static void catch_signals(struct server *server)
{
    struct sigaction action = {.sa_handler = on_signal}, hangup = {.sa_handler = on_hangup};
    running = server;
    signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error of writing
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &hangup, NULL);
}

// A second signal while the server ends must find nothing to stop.
static void bound_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > FILES_MAX) {
        limit.rlim_cur = FILES_MAX;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void ignore_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

static void on_sfu_log(int level, const char *line)
{
    log_line((enum log_level)level, "sfu", "%s", line);
}

static void print_help(void)
{
    printf("roda %s: group calls in the browser. One process: signaling, web page and media server.\n\n"
           "  roda [--config FILE] [--check]\n\n"
           "  --config FILE      settings as one JSON object; the environment wins over it\n"
           "  --check            print what would be in force, without secrets, and end: 0 when it is right, else 1\n"
           "  --help, --version\n\n"
           "Settings, in the environment or in the file [default]:\n\n",
           RODA_VERSION);
    config_print_help(stdout);
}

// ---- settings -----------------------------------------------------------------------------------------------

struct arguments {
    const char *file; // or NULL
    bool is_check;
};

// Returns the exit status when there is nothing to run, -1 otherwise.
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return print_help(), EXIT_SUCCESS;
        if (strcmp(argv[i], "--version") == 0)
            return printf("roda %s\n", RODA_VERSION), EXIT_SUCCESS;
        if (strcmp(argv[i], "--check") == 0) {
            arguments->is_check = true;
            continue;
        }
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            arguments->file = argv[++i];
            continue;
        }
        fprintf(stderr, "roda: %s: not understood; try --help\n", argv[i]);
        return USAGE_WRONG;
    }
    return -1;
}

static int read_settings(struct config *config, const char *file, char *err, size_t err_size)
{
    int rc = file ? config_read_file(config, file, err, err_size) : 0;
    if (rc == 0)
        rc = config_read_environment(config, environ, err, err_size);
    return rc ? rc : config_check(config, err, err_size);
}

// `stun` is config->media_stun cut in two, owned by the caller.
static struct sfu_config sfu_settings(const struct config *config, struct server *server, char **stun)
{
    return (struct sfu_config){
        .workers = (unsigned)config->workers,
        .busy_max = config->worker_busy_max == 100 ? BUSY_NEVER : (unsigned)config->worker_busy_max,
        .ice_lite = config->ice_lite,
        .port_min = (uint16_t)config->media_port_min,
        .port_max = (uint16_t)config->media_port_max,
        .announced_address = config->announced_address,
        .bind_address = (const char *const *)config->media_bind,
        .stun_host = stun ? stun[0] : NULL,
        .stun_port = stun ? (uint16_t)g_ascii_strtoull(stun[1], NULL, 10) : 0,
        .cipher_engine = config->cipher_engine,
        .record_dir = config->recording_dir,
        .record_hook = config->recording_hook,
        .record_quota_bytes = (uint64_t)config->recording_quota_mb << 20,
        .record_free_floor_bytes = (uint64_t)config->recording_free_floor_mb << 20,
        .wake = server_wake,
        .wake_arg = server,
        .log = on_sfu_log,
    };
}

// ---- a life -------------------------------------------------------------------------------------------------

static int serve(const struct config *config, const struct auth *auth, struct server *server, struct sfu *sfu,
                 struct store *store)
{
    struct hub *hub = hub_new(config, auth, sfu, 0, g_get_real_time() / 1000);
    struct webhook *webhook = webhook_new(config, store, server_wake, server);
    archive_attach(hub, store);
    hub->librarian = librarian_new(config, server_wake, server);
    hooks_attach(hub, webhook);
    catch_signals(server);
    log_info("main", "roda %s, %s", RODA_VERSION, sfu_describe(sfu));
    printf("Roda listening on %s\n", server_url(server));
    fflush(stdout);
    server_run(server, hub);
    ignore_signals();
    librarian_free(hub->librarian);
    hub->librarian = NULL;
    hub_free(hub);
    webhook_free(webhook);
    return EXIT_SUCCESS;
}

static int start_media(const struct config *config, const struct auth *auth, struct server *server,
                       struct store *store, char *err, size_t err_size)
{
    char **stun = config->media_stun ? g_strsplit(config->media_stun, ":", 2) : NULL;
    struct sfu_config settings = sfu_settings(config, server, stun);
    struct sfu *sfu = sfu_new(&settings, err, err_size);
    int status = sfu ? serve(config, auth, server, sfu, store) : START_FAILED;
    sfu_free(sfu);
    g_strfreev(stun);
    return status;
}

static bool can_record(const struct config *config, char *err, size_t err_size)
{
    char why[300];
    if (!config->recording_dir || place_folder_is_usable(config->recording_dir, why, sizeof(why)))
        return true;
    return g_snprintf(err, err_size, "RECORDING_DIR: %s", why), false;
}

static bool can_run_hook(const struct config *config, char *err, size_t err_size)
{
    char why[300];
    if (!config->recording_hook || place_command_is_usable(config->recording_hook, why, sizeof(why)))
        return true;
    return g_snprintf(err, err_size, "RECORDING_HOOK: %s", why), false;
}

// A hook that may be mended before a recording ends keeps nobody from talking.
static void warn_of_hook(const struct config *config)
{
    char why[400];
    if (!can_run_hook(config, why, sizeof(why)))
        log_warn("main", "%s", why);
}

static int start(const struct config *config, char *err, size_t err_size)
{
    if (!can_record(config, err, err_size))
        return START_FAILED;
    warn_of_hook(config);
    struct auth *auth = auth_new(config, err, err_size);
    bound_files();
    struct server *server = auth ? server_new(config, err, err_size) : NULL;
    struct store *store = server ? store_new(config, server_wake, server, err, err_size) : NULL;
    int status = store ? start_media(config, auth, server, store, err, err_size) : START_FAILED;
    store_free(store);
    server_free(server);
    auth_free(auth);
    return status;
}

// Everything that can be said of the settings without serving anybody.
static int check(const struct config *config, char *err, size_t err_size)
{
    struct auth *auth = auth_new(config, err, err_size);
    config_print(config, stdout);
    bool ok = auth && store_check(config, err, err_size) && can_record(config, err, err_size) &&
              can_run_hook(config, err, err_size);
    auth_free(auth);
    return ok ? EXIT_SUCCESS : START_FAILED;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    int status = read_arguments(argc, argv, &arguments);
    if (status >= 0)
        return status;
    char err[400] = "";
    struct config config;
    config_init(&config);
    status = arguments.is_check ? START_FAILED : USAGE_WRONG;
    if (read_settings(&config, arguments.file, err, sizeof(err)) == 0) {
        log_init((enum log_level)config.log_level, (enum log_format)config.log_format);
        config_warn(&config);
        status = arguments.is_check ? check(&config, err, sizeof(err)) : start(&config, err, sizeof(err));
    }
    if (err[0])
        fprintf(stderr, "roda: %s\n", err);
    config_clear(&config);
    return status;
}
