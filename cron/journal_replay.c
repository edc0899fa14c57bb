/*
 * journal-replay: brings the clicks and ends that this node kept while the
 * database was away into it, each with its true moment. Run by crontab every
 * minute; harmless at any other time, or twice at once.
 *
 * Exit status  0 done, 1 failed (what is left waits for the next run), 2 wrong usage
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "journal_replay.h"
#include "log.h"

static int usage(FILE *to, int status)
{
	fputs("usage: journal-replay [--help] [--version]\n"
	      "Replays the journal in JOURNAL_DIR into the database.\n",
	      to);
	return status;
}

int main(int argc, char **argv)
{
	struct journal_replay done;
	struct conf conf;
	struct db *db;
	enum err e;

	log_name("journal-replay");
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, EXIT_SUCCESS);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts(CLASSCLOCK_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc > 1)
		return usage(stderr, 2);
	if (sodium_init() < 0 || conf_load(&conf, NEED_DATABASE | NEED_JOURNAL))
		return EXIT_FAILURE;
	db = db_new(conf.database_url);
	e = journal_replay(conf.journal_dir, db, 0, &done);
	if (e || done.applied || done.repeated || done.bad)
		printf("journal-replay: %s, %lld applied, %lld repeated, %lld bad\n",
		       e ? "FAILED" : "ok", (long long)done.applied, (long long)done.repeated,
		       (long long)done.bad);
	db_free(db);
	return e ? EXIT_FAILURE : EXIT_SUCCESS;
}
