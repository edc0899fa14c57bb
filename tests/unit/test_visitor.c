/* A person's click counts whatever the browser; programs that say what they are do not. */
#include "unit.h"

#include "visitor.h"

#define CHROME                                                                                     \
	("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "                 \
	 "Chrome/126.0.0.0 Safari/537.36")

static void assert_agents(const char *const *agents, size_t count, enum visitor want)
{
	for (size_t i = 0; i < count; i++) {
		struct visit visit = { .method = "GET", .user_agent = agents[i] };

		if (visitor_of(&visit) != want)
			fail_msg("%s: %s", visitor_name(visitor_of(&visit)), agents[i]);
	}
}

static void people_count_in_every_browser_and_app(void **state)
{
	static const char *const people[] = {
		CHROME,
		("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 "
		 "Firefox/127.0"),
		/* Telegram's own browser on Android; on iOS it is plain Safari */
		("Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) "
		 "Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 Telegram-Android/11.3.3 "
		 "(Samsung SM-A556B; Android 14; SDK 34; AVERAGE)"),
		("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
		 "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"),
		/* Cubot makes phones */
		("Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like "
		 "Gecko) "
		 "Chrome/126.0.0.0 Mobile Safari/537.36"),
		("Mozilla/5.0 (Linux; Android 8.1.0; CUBOT_NOTE_S Build/O11019; wv) "
		 "AppleWebKit/537.36"),
		"Mozilla/5.0 (Linux; Android 11; Cubot/C30) AppleWebKit/537.36",
		/* apps that open links themselves */
		("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
		 "(KHTML, like Gecko) Mobile/15E148 Instagram 334.0.0.0 (iPhone14,5; iOS 17_5; "
		 "en_US)"),
		("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
		 "(KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/468.0.0.0;FBBV/1;FBDV/"
		 "iPhone14,5]"),
		("Mozilla/5.0 (Linux; Android 13; SM-A536E; wv) AppleWebKit/537.36 "
		 "Chrome/126.0.0.0 "
		 "Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/468.0.0.0;]"),
		("Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 Mobile Safari/537.36 "
		 "Line/13.20.0/IAB"),
		("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
		 "Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/en"),
		("Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 Mobile Safari/537.36 "
		 "Viber/22.3"),
		"Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 WhatsApp/2.24",
		"Mozilla/5.0 (Linux; Android 13) Snapchat/12.90.0.41",
		("Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro XL; wv) AppleWebKit/537.36 (KHTML, "
		 "like Gecko) Version/4.0 Chrome/146.0.7680.174 Mobile Safari/537.36 MetaIAB "
		 "Facebook"),
		"Notion/3.0 Chrome/126.0.0.0 Electron/31.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Telegram-iOS/11.2",
		"Opera/9.80 (Android; Opera Mini/8.0.1807/36.1609; U; en) Presto/2.12.423",
		/* doubtful, and given the benefit */
		("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
		 "HeadlessChrome/126.0.0.0 Safari/537.36"),
		"curl/7.88.1",
		"Wget/1.21.3",
		"python-requests/2.28.1",
		"Python-urllib/3.11",
		"Go-http-client/1.1",
		"okhttp/4.12.0",
		"QR Scanner/3.1",
		"Mozilla/5.0",
		"Abbott Robotics tablet",
		"\xff\xfe\x01",
		"-",
		" ",
		"",
		NULL,
	};

	(void)state;
	assert_agents(people, COUNT(people), VISITOR_HUMAN);
}

static void programs_that_say_what_they_are_do_not_count(void **state)
{
	static const char *const crawlers[] = {
		/* previewers of messengers and networks */
		"TelegramBot (like TwitterBot)",
		"WhatsApp",
		"WhatsApp/2.24.13.77 A",
		"Viber",
		"Viber/22.3.1",
		"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
		("Mozilla/5.0 (Macintosh) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
		 "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"),
		"Meta-ExternalHit/1.1",
		"meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters)",
		"meta-externalfetcher/1.1",
		"Twitterbot/1.0",
		"LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient)",
		"Slackbot 1.0 (+https://api.slack.com/robots)",
		"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
		"Slack-ImgProxy (+https://api.slack.com/robots)",
		"Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
		"Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
		"Mozilla/5.0 (compatible; MicrosoftPreview/2.0)",
		("Mozilla/5.0 (Windows NT 6.1) AppleWebKit/534+ (KHTML, like Gecko) "
		 "BingPreview/1.0b"),
		"Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
		"Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots",
		"Mozilla/5.0 (compatible; SnapURLPreview/1.0)",
		"Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)",
		"Mozilla/5.0 (compatible; Pinterestbot/1.0; +https://www.pinterest.com/bot.html)",
		"Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Safari/605.1.15 (Applebot/0.1)",
		"Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)",
		"Iframely/1.3.1 (+https://iframely.com/docs/about)",
		"Mozilla/5.0 (compatible; Mattermost-Bot/1.1)",
		"Synapse (bot; +https://github.com/matrix-org/synapse)",
		"BeeperBot",
		"BlueskyPreviewBot",
		"Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)",
		"Chatwork LinkPreview v1",
		"BufferLinkPreviewBot/1.0",
		"Yahoo Link Preview",
		"Linespider/1.1",
		"Mozilla/5.0 (compatible;Linespider/1.1;+https://lin.ee/4dwXkTH)",
		"bitlybot/3.0",
		"ArenaUnfurlBot",
		"Nextcloud Server Crawler",
		"Mozilla/5.0 (compatible; NextCloud-News/1.0)",
		/* Google and the rest that scan or search */
		"Google-Safety",
		"Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)",
		"Mozilla/5.0 (en-us) AppleWebKit/525.13 Version/3.1 Google Web Preview",
		"Mozilla/5.0 (Linux; Android 11) AppleWebKit/537.36 Chrome-Lighthouse",
		"Mozilla/5.0 (X11) AppleWebKit/537.36 Puppeteer/22.0",
		"Chrome Privacy Preserving Prefetch Proxy",
		"Mozilla/5.0 (compatible; CloudFlare-Prefetch/0.1)",
		"Mozilla/5.0 CloudflareRadarURLScanner/1.0",
		"AppEngine-Google; (+http://code.google.com/appengine; appid: s~virustotalcloud)",
		"virustotal",
		"Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)",
		"Expanse, a Palo Alto Networks company, searches across the global IPv4 space",
		"Mozilla/5.0 zgrab/0.x",
		"masscan/1.3 (https://github.com/robertdavidgraham/masscan)",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		"Googlebot-Image/1.0",
		("Mozilla/5.0 AppleWebKit/537.36 (compatible; bingbot/2.0) Chrome/116.0 "
		 "Safari/537.36"),
		"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
		("Mozilla/5.0 (compatible; "
		 "PetalBot;+https://webmaster.petalsearch.com/site/petalbot)"),
		"Sogou web spider/4.0",
		"Mozilla/5.0 (compatible; Baiduspider-render/2.0)",
		"Mozilla/5.0 (compatible; Yahoo! Slurp)",
		"my crawler",
		/* who gives an address to complain to is a program */
		"Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)",
		"Feedfetcher-Google; (+http://www.google.com/feedfetcher.html)",
		"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via GoogleImageProxy)",
		"BOT",
		"TELEGRAMBOT",
	};

	(void)state;
	assert_agents(crawlers, COUNT(crawlers), VISITOR_CRAWLER);
}

static void a_page_loaded_ahead_of_need_does_not_count(void **state)
{
	static const struct visit visits[] = {
		{ .sec_purpose = "prefetch" },
		{ .sec_purpose = "prefetch;prerender" },
		{ .sec_purpose = "prefetch;anonymous-client-ip" },
		{ .sec_purpose = "Prefetch" },
		{ .purpose = "prefetch" },
		{ .purpose = "preview" },
		{ .x_purpose = "preview" },
		{ .x_purpose = "x, prefetch" },
		{ .x_moz = "prefetch" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(visits); i++) {
		struct visit visit = visits[i];

		visit.method = "GET";
		visit.user_agent = CHROME;
		assert_int_equal(visitor_of(&visit), VISITOR_PREFETCH);
	}
}

static void a_purpose_that_is_none_of_these_is_a_person(void **state)
{
	struct visit visit = { .method = "GET",
			       .user_agent = CHROME,
			       .sec_purpose = "",
			       .purpose = "navigate",
			       .x_purpose = ";",
			       .x_moz = "prefetched" };

	(void)state;
	assert_int_equal(visitor_of(&visit), VISITOR_HUMAN);
}

static void only_get_can_be_a_click(void **state)
{
	static const char *const methods[] = { "HEAD", "POST", "OPTIONS", "get", "GETX", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(methods); i++) {
		struct visit visit = { .method = methods[i], .user_agent = CHROME };

		assert_int_equal(visitor_of(&visit), VISITOR_HEAD);
	}
}

static void every_visitor_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(visitor_name(VISITOR_HUMAN), "human");
	assert_string_equal(visitor_name(VISITOR_HEAD), "head");
	assert_string_equal(visitor_name(VISITOR_PREFETCH), "prefetch");
	assert_string_equal(visitor_name(VISITOR_CRAWLER), "crawler");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_count_in_every_browser_and_app),
		cmocka_unit_test(programs_that_say_what_they_are_do_not_count),
		cmocka_unit_test(a_page_loaded_ahead_of_need_does_not_count),
		cmocka_unit_test(a_purpose_that_is_none_of_these_is_a_person),
		cmocka_unit_test(only_get_can_be_a_click),
		cmocka_unit_test(every_visitor_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
