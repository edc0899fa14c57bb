// A Telegram that others wrote, for tests/api/test_telegram_peer.py: node telegram_peer.js PORT
// Says when it listens, and goes when its standard input ends.

import TelegramServer from 'telegram-test-api';

const server = new TelegramServer({ host: '127.0.0.1', port: Number(process.argv[2]), storeTimeout: 3600 });

await server.start();
process.stdout.write('listening\n');
process.stdin.resume().on('end', () => process.exit());
