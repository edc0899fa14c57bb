-- The mission's four packages, as far as they are missing: classclock-admin demo --packages-only.
INSERT INTO packages (id, duration_minutes, buffer_minutes, rate, currency) VALUES
  ('Europe', 60, 10, 12.00, 'USD'),
  ('USA', 60, 10, 15.00, 'USD'),
  ('Canada', 60, 10, 14.00, 'USD'),
  ('0 Fee', 30, 10, 0.00, 'USD')
ON CONFLICT (id) DO NOTHING;
