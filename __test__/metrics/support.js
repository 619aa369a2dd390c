// What these tests look at: messages on a channel, and the figures of a registry or a meter.

const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const client = require('prom-client')
const { observeWithProm } = require('../../metrics')

/** The messages on `channel` about `redlock`, while test `t` runs. */
function messages(t, channel, redlock) {
  const got = []
  const subscriber = (message, name) => {
    if (message.redlock === redlock) got.push({ ...message, name })
  }
  subscribe(channel, subscriber)
  t.after(() => unsubscribe(channel, subscriber))
  return got
}

/** The value of one series of a prom-client registry; undefined when there is none. */
async function series(register, name, labels) {
  for (const metric of await register.getMetricsAsJSON()) {
    for (const { metricName = metric.name, labels: has, value } of metric.values) {
      if (metricName === name && Object.entries(labels).every(([label, wanted]) => has[label] === wanted)) return value
    }
  }
  return undefined
}

/** An observation in a registry of its own, ended after test `t`; `figure(name, labels)` reads it. */
function observe(t, options) {
  const register = options.register ?? new client.Registry()
  const observation = observeWithProm({ client, register, ...options })
  t.after(() => observation.stop())
  return {
    register,
    stop: observation.stop,
    figure: (name, labels = {}) => series(register, `quorlock_${name}`, labels),
  }
}

module.exports = { messages, series, observe }
