/*
 * telegram-outbox: sends the messages that could not be sent at once. Run by
 * crontab every minute; harmless at any other time, twice at once, or late.
 *
 * Exit status  0 done, 1 failed (say why on standard error), 2 wrong usage
 */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "outbox.h"
#include "outbox_send.h"

/* A call of Telegram may take so long. */
#define TELEGRAM_MS 10000

static volatile sig_atomic_t stopping;

/* The message that is being sent is brought to its end. */
static void on_term(int sig)
{
	(void)sig;
	stopping = 1;
}

static int usage(FILE *to, int status)
{
	fputs("usage: telegram-outbox [--dry-run] [--help] [--version]\n"
	      "Sends the messages to Telegram that are due.\n"
	      "  --dry-run  count what is due and send nothing\n",
	      to);
	return status;
}

static enum err dry_run(struct db *db, struct arena *a)
{
	int64_t due, pending;
	enum err e = outbox_due(db, a, &due, &pending);

	if (!e)
		printf("telegram-outbox: %lld due, %lld waiting in all (dry run)\n", (long long)due,
		       (long long)pending);
	return e;
}

static enum err run(struct db *db, const struct conf *conf, const struct keys *keys)
{
	const struct sigaction term = { .sa_handler = on_term };
	struct outbox_run done;
	struct outbox o;
	enum err e;

	outbox_open(&o, db, conf, keys, TELEGRAM_MS);
	if (!o.telegram.token.text) {
		puts("telegram-outbox: ok, no bot is configured");
		return OK;
	}
	sigaction(SIGTERM, &term, NULL);
	e = outbox_run(&o, &stopping, &done);
	printf("telegram-outbox: %s, %lld sent, %lld unknown, %lld failed, %lld queued,"
	       " %lld dropped in %lld ms\n",
	       e ? "FAILED" : "ok", (long long)done.sent, (long long)done.unknown,
	       (long long)done.failed, (long long)done.queued, (long long)done.dropped,
	       (long long)done.duration_ms);
	if (e == ERR_CONFLICT)
		log_error("Telegram does not accept the bot's token: correct TELEGRAM_BOT_TOKEN");
	return e;
}

int main(int argc, char **argv)
{
	bool dry = argc == 2 && !strcmp(argv[1], "--dry-run");
	struct arena *a;
	struct conf conf;
	struct keys keys;
	struct db *db;
	enum err e;

	log_name("telegram-outbox");
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, EXIT_SUCCESS);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts(CLASSCLOCK_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc > 1 && !dry)
		return usage(stderr, 2);
	if (sodium_init() < 0 ||
	    conf_load(&conf, NEED_DATABASE | NEED_BASE_URL | NEED_AUTH_SECRET) ||
	    keys_load(conf.auth_secret, &keys, NULL))
		return EXIT_FAILURE;
	a = arena_new();
	db = db_new(conf.database_url);
	e = dry ? dry_run(db, a) : run(db, &conf, &keys);
	if (e)
		log_error("%s: nothing is lost, the next run goes on", err_title(e));
	db_free(db);
	arena_free(a);
	keys_wipe(&keys);
	return e ? EXIT_FAILURE : EXIT_SUCCESS;
}
