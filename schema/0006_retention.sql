-- What may be forgotten: docs/ops.md, "What is kept, and for how long". Minutes and their evidence stay.
SET LOCAL search_path = classclock, public;

GRANT DELETE ON deliveries, chat_codes, telegram_chats, zoom_occurrences TO classclock_app;
