-- Calls and time of each statement, for the exporter.
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;

-- The tables of the demo. The api creates them as well when they are absent; a new database has them from the beginning.

CREATE TABLE IF NOT EXISTS transactions (
    id          bigserial PRIMARY KEY,
    amount      numeric(12, 2) NOT NULL,
    description text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- The worker's queue: a job is waiting while it has no done_at. Taken with FOR UPDATE SKIP LOCKED, so that workers never wait for each other.
CREATE TABLE IF NOT EXISTS jobs (
    id         bigserial PRIMARY KEY,
    payload    text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz
);

CREATE INDEX IF NOT EXISTS jobs_waiting ON jobs (id) WHERE done_at IS NULL;
