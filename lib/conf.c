#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "db.h"
#include "log.h"
#include "retention.h"

#define ENV_FILE_DEFAULT     "/etc/classclock/env"
#define SECRET_BYTES_MIN     32 /* source: design, AUTH_SECRET */
#define FILE_BYTES_MAX	     65536
#define TELEGRAM_API_DEFAULT "https://api.telegram.org"
#define ZOOM_API_DEFAULT     "https://api.zoom.us/v2"
#define ZOOM_OAUTH_DEFAULT   "https://zoom.us"
#define RETENTION_DEFAULT    "180"
#define BLANKS		     " \t"

static bool is_any(const char *value)
{
	return *value != '\0';
}

static bool is_host(const char *s, size_t len)
{
	return len > 0 && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-:[]") >= len;
}

static bool is_loopback(const char *host, size_t len)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = strlen(names[i]);

		if (len >= n && !strncmp(host, names[i], n) && (len == n || host[n] == ':'))
			return true;
	}
	return false;
}

/* A URL we may call or stand on, up to its path: https, or plain http that stays on this machine.
 */
static bool is_url(const char *url, bool may_have_path)
{
	bool https = !strncmp(url, "https://", 8);
	const char *host = url + (https ? 8 : 7);
	size_t len;

	if (!https && strncmp(url, "http://", 7) != 0)
		return false;
	len = strcspn(host, "/");
	if (!is_host(host, len) || (!https && !is_loopback(host, len)))
		return false;
	if (!may_have_path)
		return host[len] == '\0';
	return url[strlen(url) - 1] != '/' && strcspn(url, " ?#\"\\") == strlen(url);
}

/* No capitals, and no port that goes without saying: as browsers write where a call comes from. */
static bool is_origin(const char *url)
{
	const char *own = strncmp(url, "https://", 8) ? "80" : "443";
	const char *bracket = strchr(url, ']'); /* of an IPv6 address, full of colons */
	const char *port = strchr(bracket ? bracket : strchr(url, '/'), ':');

	if (url[strcspn(url, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		return false;
	if (!port)
		return true;
	port++;
	return *port && *port != '0' && strspn(port, "0123456789") == strlen(port) &&
	       strlen(port) <= 5 && strtol(port, NULL, 10) <= 65535 && strcmp(port, own) != 0;
}

bool conf_is_base_url(const char *url)
{
	return is_url(url, false) && is_origin(url);
}

static bool is_api_base(const char *url)
{
	return is_url(url, true);
}

/* Of an empty item of a list nothing can come. */
static bool is_list_of(const char *list, size_t bytes_min)
{
	size_t len;

	do {
		len = strcspn(list, ",");
		if (len < bytes_min || strspn(list, " \t") >= len)
			return false;
		list += len + 1;
	} while (list[-1]);
	return true;
}

static bool is_secret_list(const char *list)
{
	return is_list_of(list, SECRET_BYTES_MIN);
}

static bool is_list(const char *list)
{
	return is_list_of(list, 1);
}

static bool is_folder(const char *path)
{
	return *path == '/';
}

static bool is_days(const char *text)
{
	size_t len = strlen(text);
	long n = strtol(text, NULL, 10);

	return len > 0 && len <= 4 && strspn(text, "0123456789") == len &&
	       n >= RETENTION_DAYS_MIN && n <= RETENTION_DAYS_MAX;
}

#define LIST "texts, separated by commas"

static const struct setting {
	const char *name;
	size_t offset; /* of its field in struct conf */
	unsigned need; /* 0: nobody insists on it */
	bool (*is_valid)(const char *value);
	const char *form;
	const char *fallback;
} settings[] = {
	{ "DATABASE_URL", offsetof(struct conf, database_url), NEED_DATABASE, db_is_conninfo,
	  "a PostgreSQL connection string", NULL },
	{ "BASE_URL", offsetof(struct conf, base_url), NEED_BASE_URL, conf_is_base_url,
	  "https://host as browsers write it: in lower case, without a path, and without :443"
	  " (plain http to loopback only, without :80)",
	  NULL },
	{ "AUTH_SECRET", offsetof(struct conf, auth_secret), NEED_AUTH_SECRET, is_secret_list,
	  "secrets of at least 32 bytes, separated by commas", NULL },
	{ "CRON_SECRET", offsetof(struct conf, cron_secret), 0, is_list, LIST, NULL },
	{ "TELEGRAM_BOT_TOKEN", offsetof(struct conf, telegram_bot_token), 0, is_list, LIST, NULL },
	{ "TELEGRAM_WEBHOOK_SECRET", offsetof(struct conf, telegram_webhook_secret), 0, is_list,
	  LIST, NULL },
	{ "TELEGRAM_API_BASE", offsetof(struct conf, telegram_api_base), 0, is_api_base,
	  "an https URL (plain http to loopback only)", TELEGRAM_API_DEFAULT },
	{ "ZOOM_WEBHOOK_SECRET", offsetof(struct conf, zoom_webhook_secret), 0, is_list, LIST,
	  NULL },
	{ "ZOOM_ACCOUNT_ID", offsetof(struct conf, zoom_account_id), 0, is_any, "any text", NULL },
	{ "ZOOM_CLIENT_ID", offsetof(struct conf, zoom_client_id), 0, is_any, "any text", NULL },
	{ "ZOOM_CLIENT_SECRET", offsetof(struct conf, zoom_client_secret), 0, is_list, LIST, NULL },
	{ "ZOOM_API_BASE", offsetof(struct conf, zoom_api_base), 0, is_api_base,
	  "an https URL (plain http to loopback only)", ZOOM_API_DEFAULT },
	{ "ZOOM_OAUTH_BASE", offsetof(struct conf, zoom_oauth_base), 0, is_api_base,
	  "an https URL (plain http to loopback only)", ZOOM_OAUTH_DEFAULT },
	{ "JOURNAL_DIR", offsetof(struct conf, journal_dir), NEED_JOURNAL, is_folder,
	  "an absolute path", NULL },
	{ "RETENTION_DAYS", offsetof(struct conf, retention_days), 0, is_days,
	  "a number of days from 14 to 3650", RETENTION_DEFAULT },
};

#define N_SETTINGS (sizeof settings / sizeof *settings)

static const char **field(struct conf *conf, const struct setting *s)
{
	return (const char **)(void *)((char *)conf + s->offset);
}

static const struct setting *find_setting(const char *name)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		if (!strcmp(name, settings[i].name))
			return &settings[i];
	}
	return NULL;
}

/* Whether systemd, which reads the same file for the services, finds the same value in it. */
static bool is_plain(const char *value)
{
	size_t len = strlen(value);

	return !len || (!strchr("\"'" BLANKS, *value) && !strchr(value, '\\') &&
			!strchr(BLANKS, value[len - 1]));
}

/* As with a comment, a value that is not plain may take the next line with it, whosever it is. */
static enum err refuse_value(const struct setting *s)
{
	log_error("setting %s is malformed: in a file, which systemd reads too, it may not begin"
		  " with a quote, hold a backslash, or begin or end with a blank",
		  s ? s->name : "of another name");
	return ERR_INVALID;
}

static enum err take_comment(const char *comment)
{
	if (comment[strlen(comment) - 1] != '\\')
		return OK;
	log_error("a comment among the settings ends in a backslash: to systemd the next line"
		  " belongs to it");
	return ERR_INVALID;
}

/*
 * Takes a line of the file, unless the environment has named that setting already. Blanks about
 * the name are none of it, as systemd has it.
 */
static enum err take_line(struct conf *conf, char *line)
{
	char *name = line + strspn(line, BLANKS);
	char *value = strchr(name, '='), *end = value;
	const struct setting *s;

	if (*name == '#' || *name == ';')
		return take_comment(name);
	if (!value)
		return OK;
	*value++ = '\0';
	while (end > name && strchr(BLANKS, end[-1]))
		*--end = '\0';
	s = find_setting(name);
	if (!is_plain(value))
		return refuse_value(s);
	if (s && !getenv(name))
		*field(conf, s) = value;
	return OK;
}

/* Cuts text into its lines; to systemd one may end as on a Mac. */
static enum err take_lines(struct conf *conf, char *text)
{
	enum err e = OK;

	while (*text && !e) {
		char *line = text;

		text += strcspn(text, "\r\n");
		if (*text)
			*text++ = '\0';
		e = take_line(conf, line);
	}
	return e;
}

static enum err refuse_file(const char *path, const char *what)
{
	log_error("CLASSCLOCK_ENV: cannot read %s: %s", path, what);
	return ERR_INVALID;
}

static enum err read_file(struct conf *conf)
{
	static char text[FILE_BYTES_MAX]; /* the settings stay in it */
	const char *named = getenv("CLASSCLOCK_ENV");
	const char *path = named && *named ? named : ENV_FILE_DEFAULT;
	FILE *f = fopen(path, "re");
	bool failed;
	size_t n;

	if (!f && !(named && *named) && errno == ENOENT)
		return OK; /* the environment alone is fine */
	if (!f)
		return refuse_file(path, strerror(errno));
	n = fread(text, 1, sizeof text, f);
	failed = ferror(f);
	fclose(f);
	if (failed)
		return refuse_file(path, "it is no file");
	if (n == sizeof text || memchr(text, '\0', n))
		return refuse_file(path, "it is too long, or no text");
	text[n] = '\0';
	return take_lines(conf, text);
}

enum err conf_load(struct conf *conf, unsigned needs)
{
	enum err e;

	*conf = (struct conf){ 0 };
	for (size_t i = 0; i < N_SETTINGS; i++)
		*field(conf, &settings[i]) = getenv(settings[i].name);
	e = read_file(conf);
	if (e)
		return e;
	for (size_t i = 0; i < N_SETTINGS; i++) {
		const struct setting *s = &settings[i];
		const char **value = field(conf, s);

		if (!*value || !**value)
			*value = s->fallback;
		if (*value ? !s->is_valid(*value) : (s->need & needs) != 0) {
			log_error("setting %s %s: it must be %s", s->name,
				  *value ? "is malformed" : "is missing", s->form);
			return ERR_INVALID;
		}
	}
	conf->https = conf->base_url && !strncmp(conf->base_url, "https://", 8);
	return OK;
}
