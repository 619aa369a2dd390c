'use strict'

// What the charts of a report show, read off the page as a reader does it: places on a chart become seconds and values by the
// labels of its axes.

/** In the page. */
function readCharts() {
  const all = (root, selector) => [...root.querySelectorAll(selector)]
  /** Through the first and the last label of an axis. */
  const axis = (labels, place) => {
    const [first, last] = [labels[0], labels.at(-1)].map((label) => [place(label), parseFloat(label.textContent)])
    const perUnit = (last[1] - first[1]) / (last[0] - first[0])
    return (at) => first[1] + (at - first[0]) * perUnit
  }
  const chart = (id) => {
    const svg = document.getElementById(id)
    const labels = all(svg, 'text.tick')
    const columns = labels.filter((label) => /^[\d.]+ s$/.test(label.textContent))
    const lines = labels.filter((label) => label.getAttribute('text-anchor') === 'end')
    const second = axis(columns, (label) => Number(label.getAttribute('x')))
    const grid = all(svg, 'line.grid').filter((line) => line.getAttribute('y1') === line.getAttribute('y2'))
    const heights = grid.map((line, i) => ({ textContent: lines[i].textContent, at: Number(line.getAttribute('y1')) }))
    const value = axis(heights, ({ at }) => at)
    const boxes = (selector) => all(svg, selector).map((mark) => mark.getBBox())
    const faults = all(svg, 'g.fault').map((group) => {
      const { x, width } = group.querySelector('rect').getBBox()
      return { name: group.querySelector('title').textContent, from: second(x), to: second(x + width) }
    })
    return { svg, second, value, boxes, faults }
  }
  const points = ({ svg, second, value }, selector) =>
    svg
      .querySelector(selector)
      .getAttribute('d')
      .match(/[\d.]+ [\d.]+/g)
      .map((pair) => pair.split(' ').map(Number))
      .map(([x, y]) => [second(x), value(y)])

  const sales = chart('chart-sales')
  const waits = chart('chart-waits')
  const answers = chart('chart-answers')
  const dots = (selector) =>
    waits.boxes(selector).map(({ x, y, width, height }) => [waits.second(x + width / 2), waits.value(y + height / 2)])
  const bars = (kind) =>
    answers
      .boxes(`rect.bar.k${kind}`)
      .map(({ x, y, height }) => [answers.second(x), answers.value(y) - answers.value(y + height)])
  return {
    sold: points(sales, '#line-sold'),
    stock: points(sales, '#line-stock'),
    waits: dots('circle.wait'),
    degraded: dots('circle.degraded'),
    answers: Object.fromEntries(['accepted', '409', '429', '503', 'other'].map((kind) => [kind, bars(kind)])),
    faults: [sales, waits, answers].map((chart) => chart.faults),
    data: JSON.parse(document.getElementById('data').textContent),
  }
}

/** `{ drawn, series }`: what is drawn, and the data that it should be. */
async function readReport(page) {
  const { data, ...drawn } = await page.evaluate(`(${readCharts})()`)
  return { drawn, series: data.series }
}

module.exports = { readReport }
