/*
 * classclock-admin: what an operator needs.
 *
 *   settings                                    look whether every program would start with these
 *   migrate                                     bring the schema up to date (owner's rights)
 *   invite --role admin|teacher EMAIL [--name NAME]
 *                                               print a fresh one-time invitation
 *   check                                       hold the data to every invariant
 *   erase --student ID                          erase a student as a person; classes stay
 *   demo [--packages-only]                      fill the demo academy
 *   telegram-webhook set|show|delete            where Telegram posts its updates
 *
 * Exit status: 0 done, 1 failed or an invariant broken, 2 wrong usage.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "conf.h"
#include "db_migrate.h"
#include "db_script.h"
#include "invariants.h"
#include "log.h"
#include "retention.h"
#include "telegram_hook.h"

#define EXIT_USAGE     2
#define DEADLINE_MS    (10 * 60 * 1000)
#define NAME_MAX_BYTES 200

/* What a command works with. */
struct job {
	const struct conf *conf;
	struct db *db;
	struct arena *arena;
	int argc; /* the command's own arguments */
	char **argv;
};

static int done(enum err e)
{
	return e ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int wrong_usage(const char *what)
{
	fprintf(stderr, "classclock-admin: %s (try --help)\n", what);
	return EXIT_USAGE;
}

/* They were read on the way here, with all that any program needs. */
static int settings(struct job *job)
{
	const char *const app[][2] = { { "ZOOM_ACCOUNT_ID", job->conf->zoom_account_id },
				       { "ZOOM_CLIENT_ID", job->conf->zoom_client_id },
				       { "ZOOM_CLIENT_SECRET", job->conf->zoom_client_secret } };
	bool has_app = app[0][1] || app[1][1] || app[2][1];

	if (job->argc)
		return wrong_usage("settings takes no arguments");
	/* No other program has all three, but those that make meetings. */
	for (int i = 0; has_app && i < 3; i++)
		if (!app[i][1]) {
			log_error("setting %s is missing: the three of Zoom's app go together",
				  app[i][0]);
			return EXIT_FAILURE;
		}
	puts("every program can start with these settings");
	return EXIT_SUCCESS;
}

static int migrate(struct job *job)
{
	if (job->argc)
		return wrong_usage("migrate takes no arguments");
	return done(db_migrate(job->conf->database_url));
}

struct invitation {
	const char *role, *email, *name;
};

static bool parse_invitation(struct job *job, struct invitation *out)
{
	*out = (struct invitation){ 0 };
	for (int i = 0; i < job->argc; i++) {
		const char *arg = job->argv[i];
		bool more = i + 1 < job->argc;

		if (!strcmp(arg, "--role") && more)
			out->role = job->argv[++i];
		else if (!strcmp(arg, "--name") && more)
			out->name = job->argv[++i];
		else if (*arg != '-' && !out->email)
			out->email = arg;
		else
			return false;
	}
	return out->email && out->role &&
	       (!strcmp(out->role, "admin") || !strcmp(out->role, "teacher")) &&
	       (!out->name || (*out->name && strlen(out->name) <= NAME_MAX_BYTES));
}

/* Prints the URL and nothing else, so that a script can use it. */
static int invite(struct job *job)
{
	struct why why = { 0 };
	struct invitation want;
	const char *url;
	int64_t id;
	enum err e;

	if (!parse_invitation(job, &want))
		return wrong_usage("invite --role admin|teacher EMAIL [--name NAME]");
	e = account_check_email(want.email, &why);
	if (!want.name)
		want.name = arena_copy(job->arena, want.email, strcspn(want.email, "@"));
	if (!e)
		e = account_ensure(job->db, job->arena, want.role, want.name, want.email, &id,
				   &why);
	if (!e)
		e = account_invite(job->db, job->arena, id, job->conf->base_url, &url);
	if (e)
		log_error("invite: %s", why.detail ? why.detail : err_title(e));
	else
		puts(url);
	return done(e);
}

static int check(struct job *job)
{
	int64_t broken;
	enum err e;

	if (job->argc)
		return wrong_usage("check takes no arguments");
	e = invariants_check(job->db, job->arena, stdout, &broken);
	return done(!e && broken ? ERR_CONFLICT : e);
}

static int erase(struct job *job)
{
	const char *text = job->argc == 2 && !strcmp(job->argv[0], "--student") ? job->argv[1] : "";
	char *end = NULL;
	long long id = strtoll(text, &end, 10);
	enum err e;

	if (id <= 0 || *end)
		return wrong_usage("erase --student ID");
	e = retention_erase_student(job->db, job->arena, id);
	if (e == ERR_NOT_FOUND)
		log_error("erase: there is no student %lld", id);
	else if (e == ERR_CONFLICT)
		log_error(
			"erase: a class of student %lld runs or may still be opened; end or cancel"
			" it first",
			id);
	else if (e)
		log_error("erase: %s", err_title(e));
	else
		printf("student %lld is erased; their classes and minutes stay\n", id);
	return done(e);
}

static int demo(struct job *job)
{
	bool packages_only = job->argc == 1 && !strcmp(job->argv[0], "--packages-only");
	enum err e;

	if (job->argc && !packages_only)
		return wrong_usage("demo [--packages-only]");
	e = db_script(job->conf->database_url, script_demo_packages);
	if (!e && !packages_only)
		e = db_script(job->conf->database_url, script_demo);
	return done(e);
}

static int telegram_webhook(struct job *job)
{
	const char *what = job->argc == 1 ? job->argv[0] : "";

	if (!strcmp(what, "set"))
		return done(telegram_hook_set(job->conf, job->arena, stdout));
	if (!strcmp(what, "show"))
		return done(telegram_hook_show(job->conf, job->arena, stdout));
	if (!strcmp(what, "delete"))
		return done(telegram_hook_delete(job->conf, job->arena, stdout));
	return wrong_usage("telegram-webhook set|show|delete");
}

static const struct command {
	const char *name;
	int (*run)(struct job *job);
	unsigned needs;
	const char *help;
} commands[] = {
	{ "settings", settings, NEED_DATABASE | NEED_BASE_URL | NEED_AUTH_SECRET | NEED_JOURNAL,
	  "settings\n\tLook whether every program would start with these settings; name what is "
	  "wrong." },
	{ "migrate", migrate, NEED_DATABASE,
	  "migrate\n\tBring the schema up to date, as the role that owns it." },
	{ "invite", invite, NEED_DATABASE | NEED_BASE_URL,
	  "invite --role admin|teacher EMAIL [--name NAME]\n"
	  "\tPrint a fresh one-time invitation; make the account if there is none.\n"
	  "\tFor an account that has a password it is the way to a new one." },
	{ "check", check, NEED_DATABASE, "check\n\tHold the data to every invariant." },
	{ "erase", erase, NEED_DATABASE,
	  "erase --student ID\n"
	  "\tErase a student as a person: name, note, chat, addresses. Their classes and\n"
	  "\tminutes stay under a number. It cannot be undone." },
	{ "demo", demo, NEED_DATABASE,
	  "demo [--packages-only]\n\tFill an empty database with the demo academy." },
	{ "telegram-webhook", telegram_webhook, NEED_BASE_URL,
	  "telegram-webhook set|show|delete\n"
	  "\tHave Telegram post the bot's updates here, show how that goes, or stop it." },
};

#define N_COMMANDS (sizeof commands / sizeof *commands)

static int help(void)
{
	puts("usage: classclock-admin COMMAND\n"
	     "Settings come from the environment or the file that CLASSCLOCK_ENV names.\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		puts(commands[i].help);
	return EXIT_SUCCESS;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct conf conf;
	struct job job = { .conf = &conf, .argc = argc, .argv = argv };
	int status;

	if (sodium_init() < 0 || conf_load(&conf, command->needs))
		return EXIT_FAILURE;
	job.arena = arena_new();
	job.db = db_new(conf.database_url);
	db_deadline(job.db, DEADLINE_MS);
	status = command->run(&job);
	db_free(job.db);
	arena_free(job.arena);
	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	log_name("classclock-admin");
	if (!strcmp(name, "--help") || !strcmp(name, "help"))
		return help();
	if (!strcmp(name, "--version"))
		return puts(CLASSCLOCK_VERSION) < 0;
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return run(&commands[i], argc - 2, argv + 2);
	return wrong_usage(*name ? "no such command" : "a command is missing");
}
