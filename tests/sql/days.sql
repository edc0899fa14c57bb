-- A moment falls on the academy's day, whatever its zone's clocks do.
BEGIN;
SELECT plan(31);

CREATE FUNCTION pg_temp.zone(name text) RETURNS void LANGUAGE sql AS 'UPDATE academy SET time_zone = $1';

-- What "day" a filter, a report and the function mean must be one thing.
CREATE FUNCTION pg_temp.day_of(zone text, moment timestamptz, day date) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.zone(zone);
  RETURN is(academy_day(moment), day, format('%s is on %s in %s', moment, day, zone));
END $$;

SELECT pg_temp.day_of('Africa/Addis_Ababa', '2026-01-30 21:00:00+00', '2026-01-31');
SELECT pg_temp.day_of('Africa/Addis_Ababa', '2026-01-31 20:30:00+00', '2026-01-31');
SELECT pg_temp.day_of('Africa/Addis_Ababa', '2026-01-31 20:59:59.999999+00', '2026-01-31');
SELECT pg_temp.day_of('Africa/Addis_Ababa', '2026-01-31 21:00:00+00', '2026-02-01');
SELECT pg_temp.day_of('Africa/Addis_Ababa', '2026-12-31 21:30:00+00', '2027-01-01');
SELECT pg_temp.day_of('Africa/Addis_Ababa', '2028-02-28 21:00:00+00', '2028-02-29');

-- New York goes forward on 8 March 2026 and back on 1 November.
SELECT pg_temp.day_of('America/New_York', '2026-03-08 04:59:59.999999+00', '2026-03-07');
SELECT pg_temp.day_of('America/New_York', '2026-03-08 05:00:00+00', '2026-03-08');
SELECT pg_temp.day_of('America/New_York', '2026-03-09 03:59:59.999999+00', '2026-03-08');
SELECT pg_temp.day_of('America/New_York', '2026-03-09 04:00:00+00', '2026-03-09');
SELECT pg_temp.day_of('America/New_York', '2026-11-01 03:59:59.999999+00', '2026-10-31');
SELECT pg_temp.day_of('America/New_York', '2026-11-01 04:00:00+00', '2026-11-01');
SELECT pg_temp.day_of('America/New_York', '2026-11-01 05:30:00+00', '2026-11-01');
SELECT pg_temp.day_of('America/New_York', '2026-11-01 06:30:00+00', '2026-11-01');
SELECT pg_temp.day_of('America/New_York', '2026-11-02 04:59:59.999999+00', '2026-11-01');
SELECT pg_temp.day_of('America/New_York', '2026-11-02 05:00:00+00', '2026-11-02');
SELECT pg_temp.day_of('UTC', '2026-12-31 23:59:59.999999+00', '2026-12-31');
SELECT pg_temp.day_of('Pacific/Kiritimati', '2026-12-31 10:00:00+00', '2027-01-01');
SELECT pg_temp.day_of('Pacific/Niue', '2027-01-01 10:59:59+00', '2026-12-31');
SELECT is(academy_day(NULL), NULL, 'no moment, no day');

SELECT pg_temp.zone('America/New_York');
SELECT is(academy_day_start('2026-03-09') - academy_day_start('2026-03-08'), interval '23 hours', 'a day of 23 hours');
SELECT is(academy_day_start('2026-11-02') - academy_day_start('2026-11-01'), interval '25 hours', 'a day of 25 hours');
SELECT is(academy_day_start('2026-07-02') - academy_day_start('2026-07-01'), interval '24 hours', 'a day of 24 hours');

-- Midnight comes twice, or not at all.
SELECT pg_temp.zone('America/Havana');
SELECT is(academy_day_start('2026-11-01'), '2026-11-01 04:00:00+00', 'of two midnights the first begins the day');
SELECT pg_temp.zone('Africa/Cairo');
SELECT is(academy_day_start('2026-04-24'), '2026-04-23 22:00:00+00', 'a day without midnight begins an hour late');

-- No day of any zone loses or shares a moment: a day's start is the first moment of it, and the microsecond before
-- is the day before. For every zone and six years the days around each change of its clocks, and every tenth.
CREATE FUNCTION pg_temp.broken_days() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  zone text;
  broken bigint := 0;
  n bigint;
BEGIN
  -- One zone of each set of those that agree on every day's start.
  FOR zone IN SELECT min(name) FROM pg_timezone_names z CROSS JOIN LATERAL (
      SELECT string_agg(extract(epoch FROM d AT TIME ZONE z.name)::text, ' ') AS starts
      FROM generate_series(timestamp '2024-01-01', '2029-12-31', '1 day') d) s
    WHERE is_time_zone(name) GROUP BY starts
  LOOP
    PERFORM pg_temp.zone(zone);
    SELECT count(*) INTO n FROM (
      SELECT d::date AS day, academy_day_start(d::date) AS start
      FROM (SELECT d, row_number() OVER days % 10 = 0 OR bool_or(
          d AT TIME ZONE zone - (d - interval '1 day') AT TIME ZONE zone <> interval '24 hours') OVER days AS is_tried
        FROM generate_series(timestamp '2024-01-01', '2029-12-31', '1 day') d
        WINDOW days AS (ORDER BY d ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING)) d
      WHERE is_tried OFFSET 0) s
    WHERE academy_day(start) <> day OR academy_day(start - interval '1 microsecond') <> day - 1;
    broken := broken + n;
  END LOOP;
  RETURN broken;
END $$;
SELECT is(pg_temp.broken_days(), 0::bigint, 'every day of every zone begins at its first moment');

-- What a zone is.
SELECT ok(bool_and(is_time_zone(z)), 'zones of the IANA database')
  FROM unnest(ARRAY['UTC', 'Africa/Addis_Ababa', 'America/Argentina/Buenos_Aires', 'Etc/GMT+12']) z;
SELECT ok(NOT bool_or(is_time_zone(z)), 'no zones: offsets, POSIX rules, abbreviations, other cases')
  FROM unnest(ARRAY['', '+03', 'EAT', 'EST5EDT,M3.2.0,M11.1.0', 'utc', 'africa/addis_ababa', 'Mars/Olympus',
    'posix/Europe/Paris', 'Europe/Paris ', '../Europe/Paris', 'localtime', 'Factory']) z;

-- Microseconds since the epoch, and back.
SELECT is(us('1970-01-01 00:00:00.000001+00'), 1::bigint, 'us() counts microseconds');
SELECT is(at_us(us(t)), t, 'at_us() is its inverse') FROM (VALUES (timestamptz '2026-03-08 06:59:59.999999+00')) v (t);
SELECT is(rfc3339('2026-03-08 07:00:00.5+01'), '2026-03-08T06:00:00.500000Z', 'rfc3339() is in UTC');

SELECT * FROM finish();
ROLLBACK;
