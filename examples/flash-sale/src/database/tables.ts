import type { MigrationInterface, QueryRunner } from 'typeorm'

/** The constraints are the last line: they hold whatever happens to locks, tokens and code. */
export class Tables1760000000000 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE TABLE variants (
        id text PRIMARY KEY,
        product_id text NOT NULL,
        stock integer NOT NULL CHECK (stock >= 0),
        fence bigint NOT NULL DEFAULT 0
      );
      CREATE TABLE orders (
        id uuid PRIMARY KEY,
        user_id text NOT NULL,
        idempotency_key text NOT NULL,
        variant_id text NOT NULL REFERENCES variants (id),
        quantity integer NOT NULL CHECK (quantity > 0),
        status text NOT NULL CHECK (status IN ('accepted', 'confirmed', 'cancelled')),
        degraded boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (user_id, idempotency_key)
      );
      CREATE INDEX orders_to_confirm ON orders (created_at) WHERE status = 'accepted';
      CREATE TABLE stock_movements (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        variant_id text NOT NULL REFERENCES variants (id),
        order_id uuid REFERENCES orders (id),
        kind text NOT NULL CHECK (kind IN ('purchase', 'cancellation', 'adjustment')),
        delta integer NOT NULL,
        stock_after integer NOT NULL CHECK (stock_after >= 0),
        token bigint,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (order_id, kind)
      );
      CREATE TABLE confirmations (
        order_id uuid PRIMARY KEY REFERENCES orders (id),
        pid integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
    `)
  }

  async down(runner: QueryRunner) {
    await runner.query('DROP TABLE confirmations, stock_movements, orders, variants')
  }
}
