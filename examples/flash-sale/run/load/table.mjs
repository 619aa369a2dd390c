// The table at the end.

import { styleText } from 'node:util'

const colours = process.stdout.isTTY && !process.env.NO_COLOR
const paint = (style, text) => (colours ? styleText(style, text) : text)

export function printTable(figures, checks) {
  const ms = (value) => `${value.toFixed(0)} ms`
  const rows = [
    ...figures.answers.map(([name, count]) => [name, count]),
    ['all answers', figures.requests],
    ['answered in, p50 / p99', `${ms(figures.answerP50)} / ${ms(figures.answerP99)}`],
    ['bought after, p50 / p99', `${ms(figures.waitP50)} / ${ms(figures.waitP99)}`],
    ['sold by the nodes / by the fallback', `${figures.sold - figures.degraded} / ${figures.degraded}`],
    ['the sale', `${figures.seconds.toFixed(1)} s`],
  ]
  const width = Math.max(...[...rows, ...checks.map(({ name }) => [name])].map(([name]) => name.length))
  console.log('')
  for (const [name, value] of rows) console.log(`   ${name.padEnd(width)}  ${value}`)
  console.log('')
  for (const { name, ok, found } of checks) {
    console.log(` ${ok ? paint('green', '✔') : paint('red', '✖')} ${name.padEnd(width)}  ${found}`)
  }
  console.log('')
}
