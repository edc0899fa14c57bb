#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "buf.h"
#include "telegram_words.h"
#include "utf8.h"

#define TEXT_BYTES_MAX 16384 /* Telegram's limit is 4096 characters, a name's is 200 */

enum language { LANGUAGE_EN, LANGUAGE_AR, LANGUAGE_AM, LANGUAGE__MAX };

static const char *const codes[LANGUAGE__MAX] = { "en", "ar", "am" };

static const struct {
	const char *kind;
	struct {
		const char *text, *button;
	} in[LANGUAGE__MAX];
} texts[] = {
	{ "join_link",
	  { { "{student}, your class with {teacher} is ready.\nTap the button to join.",
	      "Join the class" },
	    { "{student}، حصتك مع {teacher} جاهزة.\nانقر الزر للدخول.", "ادخل الحصة" },
	    { "{student}፣ ከ{teacher} ጋር ያለዎት ክፍል ዝግጁ ነው።\nለመግባት ቁልፉን ይንኩ።", "ወደ ክፍሉ ይግቡ" } } },
	{ "class_opened",
	  { { "{student} opened the class at {time}", "End class" },
	    { "{student}: فُتحت الحصة الساعة {time}", "إنهاء الحصة" },
	    { "{student} ክፍሉን በ{time} ከፍተዋል", "ክፍሉን አብቃ" } } },
	{ "student_linked",
	  { { "Done. The links to {student}'s classes will arrive here.", NULL },
	    { "تم. ستصل روابط حصص {student} إلى هنا.", NULL },
	    { "ተሳክቷል። የ{student} የክፍል ሊንኮች እዚህ ይደርሳሉ።", NULL } } },
	{ "teacher_linked",
	  { { "Done. You will be told here when a student opens a class.", NULL },
	    { "تم. سنخبرك هنا عندما يفتح طالب حصة.", NULL },
	    { "ተሳክቷል። ተማሪ ክፍል ሲከፍት እዚህ ይነገርዎታል።", NULL } } },
	{ "bad_code",
	  { { "This link was used before or has expired. Please ask for a new one.", NULL },
	    { "استُخدم هذا الرابط من قبل أو انتهت صلاحيته. اطلب رابطًا جديدًا من فضلك.", NULL },
	    { "ይህ ሊንክ ከዚህ በፊት ጥቅም ላይ ውሏል ወይም ጊዜው አልፏል። እባክዎ አዲስ ይጠይቁ።", NULL } } },
	{ "welcome",
	  { { "Hello. This bot sends the links to your classes. Please ask your teacher for your "
	      "personal link to it.",
	      NULL },
	    { "مرحبًا. يرسل هذا البوت روابط حصصك. اطلب من معلمك رابطك الشخصي إليه.", NULL },
	    { "ሰላም። ይህ ቦት የክፍልዎን ሊንኮች ይልካል። እባክዎ የግል ሊንክዎን መምህርዎን ይጠይቁ።", NULL } } },
};

static const char *const outcome_words[TELEGRAM__MAX] = {
	[TELEGRAM_SENT] = "sent",
	[TELEGRAM_WAIT] = "wait",
	[TELEGRAM_BLOCKED] = "blocked",
	[TELEGRAM_DEACTIVATED] = "deactivated",
	[TELEGRAM_NEVER_STARTED] = "never_started",
	[TELEGRAM_NO_CHAT] = "no_chat",
	[TELEGRAM_LEFT_GROUP] = "left_group",
	[TELEGRAM_FORBIDDEN] = "forbidden",
	[TELEGRAM_MIGRATED] = "migrated",
	[TELEGRAM_BAD_TOKEN] = "bad_token",
	[TELEGRAM_BAD_URL] = "bad_url",
	[TELEGRAM_REFUSED] = "refused",
	[TELEGRAM_UNREACHABLE] = "unreachable",
	[TELEGRAM_UNKNOWN] = "unknown",
};

/* For the teacher, in the language of the pages' programs. Source: design, issue 3, point 2. */
static const char *const advice[TELEGRAM__MAX] = {
	[TELEGRAM_WAIT] =
		"Telegram asks us to wait. The message goes out by itself as soon as it may; if "
		"the class starts now, send the link yourself.",
	[TELEGRAM_BLOCKED] =
		"The student has blocked the bot. Ask them to open it in Telegram and tap Start; "
		"until then send them the link yourself.",
	[TELEGRAM_DEACTIVATED] =
		"The student's Telegram account is gone. Send the link yourself and ask the admin "
		"to link their new account.",
	[TELEGRAM_NEVER_STARTED] =
		"The student has never opened the bot. Give them their personal link to it; until "
		"then send the class link yourself.",
	[TELEGRAM_NO_CHAT] =
		"Telegram does not know this chat, or the student has never opened the bot. Give "
		"them their personal link to it; until then send the class link yourself.",
	[TELEGRAM_LEFT_GROUP] =
		"The bot is no longer in the student's group. Ask them to add it again; until then "
		"send the link yourself.",
	[TELEGRAM_FORBIDDEN] =
		"Telegram does not let the bot write to this chat. Send the link yourself and tell "
		"the admin.",
	[TELEGRAM_MIGRATED] = "The student's group has moved. The message is being sent there.",
	[TELEGRAM_BAD_TOKEN] =
		"Telegram does not accept the academy's bot: its token is wrong. Tell the admin, "
		"and send the link yourself; the message goes out once that is put right.",
	[TELEGRAM_BAD_URL] =
		"Telegram refuses links to this server's address. Tell the admin that BASE_URL "
		"must be a public address, and send the link yourself.",
	[TELEGRAM_REFUSED] =
		"Telegram refused the message. Send the link yourself and tell the admin.",
	[TELEGRAM_UNREACHABLE] =
		"Telegram cannot be reached. The message goes out by itself as soon as it can; if "
		"the class starts now, send the link yourself.",
	[TELEGRAM_UNKNOWN] =
		"Telegram did not confirm the message: it may have arrived or not. It is sent "
		"again with the same link until Telegram confirms it.",
};

const char *telegram_word(enum telegram_outcome outcome)
{
	return outcome_words[outcome];
}

bool telegram_is_dead_chat(enum telegram_outcome outcome)
{
	return outcome >= TELEGRAM_BLOCKED && outcome <= TELEGRAM_FORBIDDEN;
}

const char *telegram_language(const char *tag)
{
	for (enum language l = 0; tag && l < LANGUAGE__MAX; l++)
		if (!strncmp(tag, codes[l], 2) && (tag[2] == '\0' || tag[2] == '-'))
			return codes[l];
	return NULL;
}

/* Characters that turn text around, hide in it, or break its line. Source: Unicode, Bidi_Control.
 */
static bool is_unwanted(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

/* The character at s, which is valid UTF-8, and its length. */
static uint32_t character(const char *s, size_t *len)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t c;

	*len = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	c = *len == 1 ? u[0] : u[0] & (0x7fu >> *len);
	for (size_t i = 1; i < *len; i++)
		c = c << 6 | (u[i] & 0x3f);
	return c;
}

/* Telegram makes links of words like a.b, a/b and @a: an invisible joiner keeps them words. */
static bool may_become_link(const char *s)
{
	return strchr("./@#", s[0]) && s[1] != ' ' && s[1] != '\0';
}

const char *telegram_name(struct arena *a, const char *name)
{
	const char *in = name ? name : "";
	char *out, *p;
	size_t len;

	if (!utf8_valid(in, strlen(in)))
		in = utf8_clean(a, in, strlen(in));
	p = out = arena_alloc(a, 4 * strlen(in) + 2);

	for (; *in; in += len) {
		if (is_unwanted(character(in, &len)))
			continue;
		memcpy(p, in, len);
		p += len;
		if (may_become_link(in)) {
			memcpy(p, "\xe2\x81\xa0", 3); /* U+2060, word joiner */
			p += 3;
		}
	}
	if (p == out)
		*p++ = '?';
	*p = '\0';
	return out;
}

/* Puts the parts into the braces of form, which holds no others. */
static const char *fill(struct arena *a, const char *form, const struct telegram_parts *parts)
{
	struct buf b;
	const char *text;

	buf_init(&b, TEXT_BYTES_MAX);
	while (*form) {
		size_t len = strcspn(form, "{");

		buf_add(&b, form, len);
		form += len;
		if (!strncmp(form, "{student}", 9))
			buf_str(&b, telegram_name(a, parts->student));
		else if (!strncmp(form, "{teacher}", 9))
			buf_str(&b, telegram_name(a, parts->teacher));
		else if (!strncmp(form, "{time}", 6))
			buf_str(&b, parts->time ? parts->time : "");
		form += strcspn(form, "}");
		form += *form == '}';
	}
	text = arena_copy(a, b.data ? b.data : "", b.len);
	buf_free(&b);
	return text;
}

const char *telegram_text(struct arena *a, const char *kind, const char *language,
			  const struct telegram_parts *parts, const char **button)
{
	const char *code = telegram_language(language);
	enum language l = LANGUAGE_EN;

	while (code && l < LANGUAGE__MAX - 1 && strcmp(codes[l], code) != 0)
		l++;
	*button = NULL;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!strcmp(texts[i].kind, kind)) {
			*button = texts[i].in[l].button;
			return fill(a, texts[i].in[l].text, parts);
		}
	return "";
}

const char *telegram_advice(enum telegram_outcome outcome)
{
	return advice[outcome];
}
