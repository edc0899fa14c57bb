/*
 * session-timeout: times out the classes whose deadline has passed and marks
 * unopened links missed. Run by crontab every five minutes; harmless at any
 * other time, twice at once, or late: no minute depends on when it runs.
 *
 * Exit status  0 done, 1 failed (say why on standard error), 2 wrong usage
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "journal_replay.h"
#include "log.h"
#include "timeout.h"

static int usage(FILE *to, int status)
{
	fputs("usage: session-timeout [--dry-run] [--help] [--version]\n"
	      "Times out running classes past their deadline and marks unopened links missed.\n"
	      "  --dry-run  count what is due and change nothing\n",
	      to);
	return status;
}

static enum err dry_run(struct db *db, struct arena *a)
{
	int64_t active, unopened;
	enum err e = timeout_due(db, a, &active, &unopened);

	if (!e)
		printf("session-timeout: %lld to time out, %lld unopened links to mark missed"
		       " (dry run)\n",
		       (long long)active, (long long)unopened);
	return e;
}

/* What waits in the journal comes first: a class may have been opened or ended in time. */
static enum err replay(const struct conf *conf, struct db *db)
{
	struct journal_replay done;

	return conf->journal_dir ? journal_replay(conf->journal_dir, db, 0, &done) : OK;
}

/* A journal that cannot be read keeps no class open: what it holds corrects the row later. */
static enum err run(const struct conf *conf, struct db *db, struct arena *a)
{
	struct timeout_run done = { 0 };
	enum err replayed = replay(conf, db);
	enum err e = timeout_run(db, a, &done);

	if (!e)
		e = replayed;
	printf("session-timeout: %s, %lld timed out, %lld missed, %lld settled in %lld ms\n",
	       e ? "FAILED" : "ok", (long long)done.timed_out, (long long)done.missed,
	       (long long)done.settled, (long long)done.duration_ms);
	return e;
}

int main(int argc, char **argv)
{
	bool dry = argc == 2 && !strcmp(argv[1], "--dry-run");
	struct arena *a;
	struct conf conf;
	struct db *db;
	enum err e;

	log_name("session-timeout");
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, EXIT_SUCCESS);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts(CLASSCLOCK_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc > 1 && !dry)
		return usage(stderr, 2);
	if (sodium_init() < 0 || conf_load(&conf, NEED_DATABASE))
		return EXIT_FAILURE;
	a = arena_new();
	db = db_new(conf.database_url);
	e = dry ? dry_run(db, a) : run(&conf, db, a);
	if (e)
		log_error("%s: see the lines above; nothing is lost, the next run goes on",
			  err_title(e));
	db_free(db);
	arena_free(a);
	return e ? EXIT_FAILURE : EXIT_SUCCESS;
}
