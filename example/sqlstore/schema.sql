-- One schema for both databases; {{id}} is the only word they spell differently.

CREATE TABLE IF NOT EXISTS authors (
    id   {{id}},
    name TEXT NOT NULL,
    bio  TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS books (
    id              {{id}},
    author_id       BIGINT    NOT NULL REFERENCES authors (id) ON DELETE CASCADE,
    isbn            TEXT      NOT NULL UNIQUE,
    title           TEXT      NOT NULL,
    summary         TEXT      NOT NULL,
    tags            TEXT      NOT NULL,
    pages           BIGINT    NOT NULL,
    price_cents     BIGINT    NOT NULL,
    stock           BIGINT    NOT NULL,
    published_at    TIMESTAMP NOT NULL,
    discontinued_at TIMESTAMP,
    updated_at      TIMESTAMP NOT NULL,
    version         BIGINT    NOT NULL
);
CREATE INDEX IF NOT EXISTS books_by_author ON books (author_id, published_at);

CREATE TABLE IF NOT EXISTS orders (
    id          {{id}},
    customer_id BIGINT    NOT NULL,
    book_id     BIGINT    NOT NULL,
    copies      BIGINT    NOT NULL,
    status      TEXT      NOT NULL,
    placed_at   TIMESTAMP NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer_id, id);

CREATE TABLE IF NOT EXISTS sessions (
    token       TEXT      PRIMARY KEY,
    customer_id BIGINT    NOT NULL,
    expires_at  TIMESTAMP NOT NULL
);
