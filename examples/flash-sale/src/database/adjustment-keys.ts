import type { MigrationInterface, QueryRunner } from 'typeorm'

/** By the key an adjustment that is asked for again is known: it changes stock once, whoever asks, and whenever. */
export class AdjustmentKeys1760000001000 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query('ALTER TABLE stock_movements ADD COLUMN idempotency_key text UNIQUE')
  }

  async down(runner: QueryRunner) {
    await runner.query('ALTER TABLE stock_movements DROP COLUMN idempotency_key')
  }
}
