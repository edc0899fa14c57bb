/* Students are sent to Zoom's join links, and nowhere else whatever the trick. */
#include "unit.h"

#include "zoom_url.h"

static void knows_the_links_that_join(void **state)
{
	static const struct {
		const char *text;
		enum zoom_url_kind kind;
		int64_t meeting_id;
		const char *host;
	} good[] = {
		{ "https://zoom.us/j/123456789", ZOOM_URL_JOIN, 123456789, "zoom.us" },
		{ "https://us02web.zoom.us/j/81234567890?pwd=QmVzd.1", ZOOM_URL_JOIN,
		  INT64_C(81234567890), "us02web.zoom.us" },
		{ "https://zoom.us/j/99999999999#success", ZOOM_URL_JOIN, INT64_C(99999999999),
		  "zoom.us" },
		{ "https://zoom.us/j/1234567890/?pwd=a", ZOOM_URL_JOIN, 1234567890, "zoom.us" },
		{ "https://zoom.us/j/012345678", ZOOM_URL_JOIN, 12345678, "zoom.us" },
		{ "https://academy.zoom.us/w/81234567890?tk=a-b_c.d%2F&uname=x@y", ZOOM_URL_JOIN,
		  INT64_C(81234567890), "academy.zoom.us" },
		{ "https://zoom.us/launch/jc/123456789", ZOOM_URL_JOIN, 123456789, "zoom.us" },
		{ "https://zoom.us/wc/join/123456789?wpk=1", ZOOM_URL_WEB_CLIENT, 123456789,
		  "zoom.us" },
		{ "https://app.zoom.us/wc/81234567890/join?fromPWA=1", ZOOM_URL_WEB_CLIENT,
		  INT64_C(81234567890), "app.zoom.us" },
		{ "https://us04web.zoom.us/my/teacher.name?pwd=x", ZOOM_URL_PERSONAL, 0,
		  "us04web.zoom.us" },
		{ "https://zoom.us/meeting/register/tJ0vc-u_rqT", ZOOM_URL_REGISTER, 0, "zoom.us" },
		{ "https://zoom.us/webinar/register/WN_abc123", ZOOM_URL_REGISTER, 0, "zoom.us" },
		{ "https://agency.zoomgov.com/j/1612345678", ZOOM_URL_JOIN, 1612345678,
		  "agency.zoomgov.com" },
		{ "https://zoomgov.com/j/1612345678", ZOOM_URL_JOIN, 1612345678, "zoomgov.com" },
		{ "https://www.zoom.com/j/1612345678", ZOOM_URL_JOIN, 1612345678, "www.zoom.com" },
		{ "https://zoom.com.cn/j/1612345678", ZOOM_URL_JOIN, 1612345678, "zoom.com.cn" },
		{ "https://x.zoom.com.cn/j/1612345678", ZOOM_URL_JOIN, 1612345678,
		  "x.zoom.com.cn" },
		{ "HTTPS://US02Web.ZOOM.us./j/123456789", ZOOM_URL_JOIN, 123456789,
		  "us02web.zoom.us" },
		{ "https://zoom.us:443/j/123456789", ZOOM_URL_JOIN, 123456789, "zoom.us" },
		{ "https://zoom.us:/j/123456789", ZOOM_URL_JOIN, 123456789, "zoom.us" },
		{ "https://zoom.us/j/123456789?x=//evil.example/@%0d%0a", ZOOM_URL_JOIN, 123456789,
		  "zoom.us" },
		{ "https://zoom.us/j/123456789?prozak=1&x=zak=1", ZOOM_URL_JOIN, 123456789,
		  "zoom.us" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct zoom_url url;

		assert_int_equal(zoom_url_parse(good[i].text, &url, NULL), OK);
		assert_int_equal(zoom_url_check(good[i].text, NULL), OK);
		assert_int_equal(url.kind, good[i].kind);
		assert_int_equal(url.meeting_id, good[i].meeting_id);
		assert_string_equal(url.host, good[i].host);
	}
}

/* Every text of bad is refused for this reason. */
static void assert_refused(const char *const *bad, size_t count, const char *detail)
{
	for (size_t i = 0; i < count; i++) {
		struct why why = { 0 };

		assert_int_equal(zoom_url_check(bad[i], &why), ERR_INVALID);
		assert_string_equal(why.field, "zoom_url");
		if (strcmp(why.detail, detail) != 0)
			fail_msg("%s: %s", bad[i], why.detail);
	}
}

static void only_zooms_own_hosts_pass(void **state)
{
	static const char *const bad[] = {
		"https://evilzoom.us/j/123456789",
		"https://evil-zoom.us/j/123456789",
		"https://zoom.us.evil.example/j/123456789",
		"https://zoom.usevil.example/j/123456789",
		"https://zoom.us-evil.example/j/123456789",
		"https://evil.example/zoom.us/j/123456789",
		"https://evil.example?zoom.us/j/123456789",
		"https://evil.example#.zoom.us/j/123456789",
		"https://evil.example/j/123456789?https://zoom.us/j/123456789",
		"https://zoom.uk/j/123456789",
		"https://zo.om.us/j/123456789",
		"https://us/j/123456789",
		"https://m.us/j/123456789",
		"https://com.cn/j/123456789",
		"https://evilzoom.com.cn/j/123456789",
		"https://zoom.com.cn.evil.example/j/123456789",
		"https://127.0.0.1/j/123456789",
		"https://[zoom.us]/j/123456789",
		"https:///zoom.us/j/123456789",
		"https:////zoom.us/j/123456789",
		"https://",
		"https:///",
		"https://./j/123456789",
		"https://.zoom.us/j/123456789",
		"https://a..zoom.us/j/123456789",
		"https://zoom..us/j/123456789",
		"https://zoom.us../j/123456789",
		"https://zoom%2eus/j/123456789",
		"https://zoom%2Eus/j/123456789",
		"https://a%2ezoom.us/j/123456789",
		"https://evil.example%2f.zoom.us/j/123456789",
		"https://evil.example%23.zoom.us/j/123456789",
		"https://evil_example.zoom.us/j/123456789",
		"https://evil.example&.zoom.us/j/123456789",
		"https://evil.example;.zoom.us/j/123456789",
		"https://xn--zom-gna.us/j/123456789",
		"https://xn--abc.zoom.us/j/123456789",
		"https://a.xn--abc.zoom.us/j/123456789",
		"https://XN--abc.zoom.us/j/123456789",
	};

	(void)state;
	assert_refused(bad, COUNT(bad), "The link must lead to Zoom.");
}

static void no_user_name_and_no_unusual_port(void **state)
{
	static const char *const users[] = {
		"https://zoom.us@evil.example/j/123456789",
		"https://zoom.us:443@evil.example/j/123456789",
		"https://zoom.us:x@evil.example/j/123456789",
		"https://user@zoom.us/j/123456789",
		"https://@zoom.us/j/123456789",
		"https://user:word@zoom.us/j/123456789",
	};
	static const char *const ports[] = {
		"https://zoom.us:80/j/123456789",     "https://zoom.us:8443/j/123456789",
		"https://zoom.us:0443/j/123456789",   "https://zoom.us:44/j/123456789",
		"https://zoom.us:443:443/j/12345678", "https://zoom.us:44x/j/123456789",
		"https://zoom.us::443/j/123456789",   "https://[::1]/j/123456789",
	};

	(void)state;
	assert_refused(users, COUNT(users), "The link must not hold a user name.");
	assert_refused(ports, COUNT(ports), "The link must use the usual port.");
}

static void only_https_passes(void **state)
{
	static const char *const bad[] = {
		"http://zoom.us/j/123456789",
		"//zoom.us/j/123456789",
		"///zoom.us/j/123456789",
		"/j/123456789",
		"zoom.us/j/123456789",
		"https:zoom.us/j/123456789",
		"https:/zoom.us/j/123456789",
		"httpss://zoom.us/j/123456789",
		"xhttps://zoom.us/j/123456789",
		"zoommtg://zoom.us/join?confno=123456789",
		"zoomus://zoom.us/join?confno=123456789",
		"javascript:alert(1)//https://zoom.us/j/123456789",
		"data:text/html,https://zoom.us/j/123456789",
		"x",
	};

	(void)state;
	assert_refused(bad, COUNT(bad), "The link must begin with https://.");
}

static void every_byte_that_could_break_a_header_is_refused_everywhere(void **state)
{
	static const char refused[] = "\\\"<>^`{|}";
	/* A ? is where the byte goes. */
	static const char *const places[] = {
		"https:?//zoom.us/j/123456789",	 "https://zoom?.us/j/123456789",
		"https://zoom.us?/j/123456789",	 "https://zoom.us/j?/123456789",
		"https://zoom.us/j/123456789?",	 "https://zoom.us/j/123456789&pwd=?",
		"https://zoom.us/j/123456789#?", "?https://zoom.us/j/123456789",
	};
	static const char *const seen[] = {
		"https:\\\\zoom.us/j/123456789",
		"https://zoom.us\\@evil.example/j/123456789",
		"https://zoom.us/j/123456789\nSet-Cookie: a=b",
		"https://zoom.us/j/123456789\r\nSet-Cookie: a=b",
		"https://zo\u043em.us/j/123456789",
		"https://zoom\u3002us/j/123456789",
		"https://zoom.us\u2215.evil.example/j/123456789",
	};
	const char *detail = "The link must not hold spaces, quotes, brackets or special letters.";

	for (int byte = 1; byte < 256; byte++) {
		if (byte >= 0x21 && byte <= 0x7e && !strchr(refused, byte))
			continue;
		for (size_t i = 0; i < COUNT(places); i++) {
			char *bad = arena_printf(*state, "%s", places[i]);

			*strchr(bad, '?') = (char)byte;
			assert_refused((const char *const *)&bad, 1, detail);
		}
	}
	assert_refused(seen, COUNT(seen), detail);
}

static void start_links_are_not_for_students(void **state)
{
	static const char *const bad[] = {
		"https://zoom.us/s/123456789?zak=eyJ0eXAiOiJKV1Q",
		"https://zoom.us/s/123456789",
		"https://zoom.us/s/123456789?pwd=x",
		"https://zoom.us/j/123456789?zak=eyJ0eXAiOiJKV1Q",
		"https://zoom.us/j/123456789?pwd=x&zak=eyJ0eXAiOiJKV1Q",
		"https://zoom.us/j/123456789?pwd=x&ZAK=eyJ0eXAiOiJKV1Q",
		"https://zoom.us/j/123456789?pwd=x#zak=eyJ0eXAiOiJKV1Q",
		"https://zoom.us/wc/123456789/join?zak=x",
	};

	(void)state;
	assert_refused(bad, COUNT(bad), "This is the host's start link: paste the join link.");
}

static void other_pages_of_zoom_are_refused(void **state)
{
	static const char *const bad[] = {
		"https://zoom.us",
		"https://zoom.us/",
		"https://zoom.us?j/123456789",
		"https://zoom.us#/j/123456789",
		"https://zoom.us//j/123456789",
		"https://zoom.us/j//123456789",
		"https://zoom.us/j/12345678",
		"https://zoom.us/j/123456789012",
		"https://zoom.us/j/123456789x",
		"https://zoom.us/j/123456789.",
		"https://zoom.us/j/123456789//",
		"https://zoom.us/j/123456789/x",
		"https://zoom.us/j/12345678%39",
		"https://zoom.us/j/-123456789",
		"https://zoom.us/j/+123456789",
		"https://zoom.us/j/123-456-789",
		"https://zoom.us/j/",
		"https://zoom.us/J/123456789",
		"https://zoom.us/j/../signin",
		"https://zoom.us/my/",
		"https://zoom.us/my/.",
		"https://zoom.us/my/..",
		"https://zoom.us/my/../signin",
		"https://zoom.us/my/teacher/x",
		"https://zoom.us/my/%2e%2e",
		"https://zoom.us/my/a@b",
		"https://zoom.us/wc/123456789/start",
		"https://zoom.us/wc/123456789",
		"https://zoom.us/meeting/register/",
		"https://zoom.us/meeting/123456789",
		"https://zoom.us/rec/share/abc",
		"https://zoom.us/oauth/authorize?redirect_uri=https://evil.example",
		"https://zoom.us/signin",
	};

	(void)state;
	assert_refused(bad, COUNT(bad), "The link must be one that joins a Zoom meeting.");
}

static void takes_links_as_long_as_it_promises(void **state)
{
	char text[ZOOM_URL_MAX + 2] = "https://zoom.us/j/123456789?pwd=";
	const char *bad = text;
	size_t len = strlen(text);

	(void)state;
	memset(text + len, 'x', ZOOM_URL_MAX - len);
	assert_int_equal(zoom_url_check(text, NULL), OK);
	text[ZOOM_URL_MAX] = 'x';
	assert_refused(&bad, 1, "The link must be at most 600 bytes long.");
}

static void a_host_may_be_as_long_as_names_get(void **state)
{
	char text[ZOOM_URL_MAX + 1] = "https://";
	const char *bad = text;
	struct zoom_url url;

	(void)state;
	memset(text + 8, 'a', 245);
	memcpy(text + 8 + 245, ".zoom.us/j/123456789", 21);
	assert_int_equal(zoom_url_parse(text, &url, NULL), OK);
	assert_int_equal(strlen(url.host), ZOOM_URL_HOST_MAX);
	memcpy(text + 8 + 245, "a.zoom.us/j/123456789", 22);
	assert_refused(&bad, 1, "The link must lead to Zoom.");
}

static void says_when_there_is_no_link(void **state)
{
	static const char *const bad[] = { NULL, "" };

	(void)state;
	assert_refused(bad, COUNT(bad), "Paste the Zoom link.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_links_that_join),
		cmocka_unit_test(only_zooms_own_hosts_pass),
		cmocka_unit_test(no_user_name_and_no_unusual_port),
		cmocka_unit_test(only_https_passes),
		WITH_ARENA(every_byte_that_could_break_a_header_is_refused_everywhere),
		cmocka_unit_test(start_links_are_not_for_students),
		cmocka_unit_test(other_pages_of_zoom_are_refused),
		cmocka_unit_test(takes_links_as_long_as_it_promises),
		cmocka_unit_test(a_host_may_be_as_long_as_names_get),
		cmocka_unit_test(says_when_there_is_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
