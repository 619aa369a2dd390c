'use strict'

// What a user of the package may have, and tests: stock that is sold under a lock. The database is one that is waited for.

class OrderService {
  #redlock
  sold = []

  constructor(redlock, stock, { save = async () => {}, options = {} } = {}) {
    this.#redlock = redlock
    this.stock = stock
    this.save = save
    this.options = options
  }

  place(product, buyer) {
    return this.#redlock.withLock(`lock:product:${product}`, 5000, (lock) => this.#sell(product, buyer, lock), {
      wait: 2000,
      ...this.options,
    })
  }

  async #sell(product, buyer, lock) {
    const left = this.stock.get(product)
    if (left === 0) throw new Error('sold out')
    await this.save(product, buyer, lock)
    lock.signal.throwIfAborted()
    this.stock.set(product, left - 1)
    this.sold.push(buyer)
    return `${product} for ${buyer}`
  }
}

/** A promise that the test settles when it likes. */
function gate() {
  let open
  const promise = new Promise((resolve) => {
    open = resolve
  })
  return { promise, open }
}

module.exports = { OrderService, gate }
