'use strict'

// What is measured, under its two names. `recorded` figures are made of messages, `sampled` ones are read from
// `stats()` whenever somebody collects. Labels have the same words in both, `quorlock.` before them in OpenTelemetry.

const { MS_PER_S } = require('./observation')

const QUANTILES = { p50: '0.5', p99: '0.99' }

const recorded = {
  acquire: {
    prom: 'acquire_seconds',
    otel: 'quorlock.acquire.duration',
    kind: 'Histogram',
    unit: 's',
    help: 'Time until a call for a lock ended',
    labels: ['redlock', 'outcome', 'key_class'],
  },
  hold: {
    prom: 'hold_seconds',
    otel: 'quorlock.hold.duration',
    kind: 'Histogram',
    unit: 's',
    help: 'Time from the grant of a lock to its release',
    labels: ['redlock', 'outcome', 'key_class'],
  },
  lost: {
    prom: 'locks_lost_total',
    otel: 'quorlock.locks.lost',
    kind: 'Counter',
    unit: '{lock}',
    help: 'Locks lost while held',
    labels: ['redlock', 'reason', 'key_class'],
  },
  extendCalls: {
    prom: 'extend_calls_total',
    otel: 'quorlock.extend.calls',
    kind: 'Counter',
    unit: '{call}',
    help: 'Calls of lock.extend() that have ended',
    labels: ['redlock', 'outcome', 'key_class'],
  },
  lateExtendCalls: {
    prom: 'extend_calls_late_total',
    otel: 'quorlock.extend.late_calls',
    kind: 'Counter',
    unit: '{call}',
    help: 'Calls of lock.extend() that succeeded when less than a third of the ttl was left',
    labels: ['redlock', 'key_class'],
  },
}

/** `values` gives pairs of labels and value. */
const sampled = [
  {
    prom: 'extensions_total',
    otel: 'quorlock.extensions',
    kind: 'Counter',
    unit: '{extension}',
    help: 'Extensions and renewals that succeeded',
    values: ({ extended }) => [[{}, extended]],
  },
  {
    prom: 'renewals_late_total',
    otel: 'quorlock.renewals.late',
    kind: 'Counter',
    unit: '{renewal}',
    help: 'Renewals that succeeded when less than a third of the ttl was left',
    values: ({ renewedLate }) => [[{}, renewedLate]],
  },
  {
    prom: 'unreleased_total',
    otel: 'quorlock.handles.unreleased',
    kind: 'Counter',
    unit: '{handle}',
    help: 'Handles that were garbage-collected without release()',
    values: ({ unreleased }) => [[{}, unreleased]],
  },
  {
    prom: 'locks_held',
    otel: 'quorlock.locks.held',
    kind: 'UpDownCounter',
    unit: '{lock}',
    help: 'Locks held now',
    values: ({ held }) => [[{}, held]],
  },
  {
    prom: 'calls_waiting',
    otel: 'quorlock.calls.waiting',
    kind: 'UpDownCounter',
    unit: '{call}',
    help: 'Calls that wait for a lock now',
    values: ({ waiting }) => [[{}, waiting]],
  },
  {
    prom: 'degraded',
    otel: 'quorlock.degraded',
    kind: 'Gauge',
    unit: '1',
    help: 'Whether the fallback gives the locks now; 0 without one',
    values: ({ degraded }) => [[{}, Number(degraded)]],
  },
  {
    prom: 'node_up',
    otel: 'quorlock.node.up',
    kind: 'Gauge',
    unit: '1',
    help: 'Whether the node answers, and is no replica and not in quarantine',
    labels: ['node'],
    values: ({ nodes }) => nodes.map(({ name, state }) => [{ node: name }, Number(state === 'up')]),
  },
  {
    prom: 'node_round_trip_seconds',
    otel: 'quorlock.node.round_trip.duration',
    kind: 'Gauge',
    unit: 's',
    help: 'Round-trip times lately, by quantile',
    labels: ['node', 'quantile'],
    values: ({ nodes }) =>
      nodes.flatMap(({ name, rtt }) =>
        Object.entries(QUANTILES).map(([p, quantile]) => [{ node: name, quantile }, rtt[p] / MS_PER_S]),
      ),
  },
]

/** What the recorder of an observation does, given who adds to which figure. */
const recorderInto = (add) => ({
  acquired: (labels, seconds) => add('acquire', labels, seconds),
  released: (labels, seconds) => add('hold', labels, seconds),
  lost: (labels) => add('lost', labels, 1),
  extended(labels, isLate) {
    add('extendCalls', labels, 1)
    const { outcome, ...common } = labels
    if (isLate) add('lateExtendCalls', common, 1)
  },
})

module.exports = { recorded, sampled, recorderInto }
