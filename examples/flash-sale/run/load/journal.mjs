// What happened in a run and when, in ms since the sale opened: every answer, every sale, every fault.

export class Journal {
  #openedAt = performance.now()
  /** `{ at, status, code, ms }`, one per request. */
  answers = []
  /**
   * `{ at, orderId, buyer, wait }`, one per order, at its first acceptance; `wait` since the buyer came. After the sale also
   * `degraded`: whether it was sold while the fallback gave the product's lock.
   */
  sales = []
  /** `{ at, stock }`, as the database says. */
  stock = []
  /** `{ name, from, to, soldFrom, soldTo, .. }`, with what shows that it has been one; without `to` while it lasts. */
  faults = []

  now() {
    return performance.now() - this.#openedAt
  }

  get sold() {
    return this.sales.length
  }

  answer(status, code, ms) {
    this.answers.push({ at: this.now(), status, code, ms })
  }

  sale(orderId, buyer, wait) {
    this.sales.push({ at: this.now(), orderId, buyer, wait })
  }

  /** As the orders say, which only the database knows. */
  markDegraded(orders) {
    const ids = new Set(orders.filter(({ degraded }) => degraded).map(({ id }) => id))
    for (const sale of this.sales) sale.degraded = ids.has(sale.orderId)
  }

  stockIs(stock) {
    this.stock.push({ at: this.now(), stock })
  }

  /** Returns what ends it, and is given what shows it. */
  fault(name) {
    const fault = { name, from: this.now(), soldFrom: this.sold }
    this.faults.push(fault)
    return (shown) => Object.assign(fault, shown, { to: this.now(), soldTo: this.sold })
  }
}
