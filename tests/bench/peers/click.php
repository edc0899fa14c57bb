<?php
// The click in PHP: a persistent connection, a statement that stays prepared on it, one round trip.
declare(strict_types=1);

const FIXED = 8 + 16 + 8 + 8;
const CRAWLER = '/bot\b|crawl|spider|preview|facebookexternalhit|whatsapp|slurp|embedly/i';

// The sealed link, or null. Its form: lib/join_link.h.
function open_link(string $token): ?array
{
    $sealed = base64_decode(strtr($token, '-_', '+/'), true);
    if ($sealed === false || strlen($sealed) < 1 + 24 + FIXED + 1 + 16 || $sealed[0] !== "\x01") {
        return null;
    }
    $plain = sodium_crypto_aead_xchacha20poly1305_ietf_decrypt(substr($sealed, 25), $sealed[0],
        substr($sealed, 1, 24), hex2bin(getenv('KEY')));
    if ($plain === false) {
        return null;
    }
    ['id' => $id, 'expires' => $expires] = unpack('Jid/x16/Jsent/Jexpires', $plain);
    return ['id' => $id, 'link_id' => bin2hex(substr($plain, 8, 16)), 'expires' => $expires,
        'url' => substr($plain, FIXED)];
}

// A text as the element of PostgreSQL's array.
function element(?string $text): string
{
    return $text === null ? '{NULL}' : '{"' . addcslashes($text, '"\\') . '"}';
}

$link = open_link($_GET['token'] ?? '');
if ($link === null) {
    http_response_code(404);
    exit('This is no link of ours.');
}
$agent = $_SERVER['HTTP_USER_AGENT'] ?? null;
$arguments = ['{' . $link['id'] . '}', '{' . $link['link_id'] . '}', '{' . $link['expires'] . '}',
    element($agent !== null && preg_match(CRAWLER, $agent) ? 'crawler' : null), element($_SERVER['REMOTE_ADDR']),
    element($agent === null ? null : substr($agent, 0, 300)), '{NULL}',
    '{' . bin2hex(random_bytes(16)) . '}'];

$database = pg_pconnect(getenv('DATABASE'));
$result = @pg_execute($database, 'click', $arguments);
if ($result === false) { // the first time on this connection
    pg_prepare($database, 'click', file_get_contents(getenv('STATEMENT')));
    $result = pg_execute($database, 'click', $arguments);
}
[, $outcome, $cancelled, $expired, $url] = pg_fetch_row($result);
if ($cancelled === 't' || $expired === 't') {
    http_response_code(410);
    exit($outcome);
}
header('Cache-Control: no-store');
header('Referrer-Policy: no-referrer');
header('Location: ' . ($url ?? $link['url']), true, 302);
