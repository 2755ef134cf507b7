'use strict'
// Draws the charts of a report. streamgauge.render(charts) draws them, and draws them again when there is more to show; charts is what
// the page holds as JSON: {runs: [{run, step, series, faults, curves}], delays: [{verdict, delays}], capacity}. In a sample null is a gap, and
// "never" something expected that did not come.
{
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()
  const dashes = { solid: [], dashed: [6, 3], dotted: [2, 3] }
  const font = '12px system-ui, sans-serif'
  const left = 62 // of every plot, so that all of them line up

  const three = (v) => (v === 0 ? '0' : Number(v.toPrecision(3)).toLocaleString('en'))
  const big = (v) => (v >= 1e6 ? three(v / 1e6) + 'M' : v >= 1e4 ? three(v / 1e3) + 'k' : three(v))
  const ms = (v) => (v < 1 ? three(v * 1000) + ' µs' : v < 1000 ? three(v) + ' ms' : three(v / 1000) + ' s')
  const clock = (s) => (s < 100 ? three(s) + ' s' : Math.floor(s / 60) + 'm' + (s % 60 ? ' ' + String(Math.round(s % 60)).padStart(2, '0') + 's' : ''))
  const value = (v, unit) => (v === 'never' ? 'never' : v == null ? '–' : unit === 'ms' ? ms(v) : big(v))
  const number = (v) => (typeof v === 'number' ? v : null)
  const element = (name, attributes = {}, ...children) => {
    const e = document.createElement(name)
    for (const [key, text] of Object.entries(attributes)) e.setAttribute(key, text)
    e.append(...children)
    return e
  }

  // sample shows how a line looks in the chart.
  const sample = (line) => {
    const ns = 'http://www.w3.org/2000/svg'
    const svg = document.createElementNS(ns, 'svg')
    const set = (e, attributes) => Object.entries(attributes).forEach(([k, v]) => e.setAttribute(k, v)) ?? e
    set(svg, { width: 22, height: 8, 'aria-hidden': 'true' })
    const stroke = document.createElementNS(ns, 'path')
    set(stroke, { d: 'M0 4H22', stroke: `var(--${line.colour})`, 'stroke-width': line.width ?? 2, 'stroke-dasharray': dashes[line.dash ?? 'solid'].join(' ') })
    svg.append(stroke)
    return svg
  }

  // paint runs draw in device pixels, with what it changes set back.
  const paint = (u, draw) => {
    u.ctx.save()
    u.ctx.font = font.replace('12px', 12 * devicePixelRatio + 'px')
    u.ctx.setLineDash([]) // of the line before
    draw(u.ctx, u.bbox, devicePixelRatio)
    u.ctx.restore()
  }
  const cross = (ctx, x, y, r) => {
    ctx.beginPath()
    ctx.moveTo(x - r, y - r)
    ctx.lineTo(x + r, y + r)
    ctx.moveTo(x - r, y + r)
    ctx.lineTo(x + r, y - r)
    ctx.stroke()
  }

  const axis = (more) => ({
    stroke: () => colour('muted'), font, grid: { stroke: () => colour('grid'), width: 1 }, ticks: { stroke: () => colour('grid'), width: 1, size: 4 }, ...more,
  })
  const decades = (u, min, max) => {
    const low = Math.floor(Math.log10(min > 0 && Number.isFinite(min) ? min : 1))
    const high = Math.ceil(Math.log10(max > 0 && Number.isFinite(max) ? max * 1.02 : 10))
    return [10 ** low, 10 ** Math.max(high, low + 1)]
  }
  const isDecade = (v) => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-9
  const logarithmic = {
    scale: { distr: 3, log: 10, range: decades },
    axis: axis({ scale: 'y', size: left, values: (u, splits) => splits.map((v) => (v > 0 && isDecade(v) ? ms(v) : '')) }),
  }
  const linear = (unit) => ({
    scale: { range: (u, min, max) => [0, Math.max(max * 1.08, unit === 'ms' ? 1 : 1.2)] },
    axis: axis({ scale: 'y', size: left, space: 28, values: (u, splits) => splits.map((v) => (unit === 'ms' ? ms(v) : Number.isInteger(v) || v > 10 ? big(v) : '')) }),
  })

  // figure frames one chart: a caption with a key that reads the values under the cursor, and the plot, which the arrow keys walk.
  const figure = (container, { title, about, lines, readX }, options, data, height) => {
    const at = element('output', { 'aria-label': 'position' })
    const keys = lines.map((line) => ({ line, out: element('output', { 'aria-label': line.label }) }))
    const caption = element('figcaption', {}, element('b', {}, title), ...keys.map(({ line, out }) => element('span', { class: 'key' }, sample(line), line.label + ' ', out)), element('span', { class: 'key' }, at))
    const plot = element('div', { class: 'plot', tabindex: '0', role: 'group', 'aria-label': `${title}. ${about} Arrow keys read the values.` })
    container.append(element('figure', { class: 'chart' }, caption, plot))
    const chart = { raw: [] }
    const read = (u) => {
      const i = u.cursor.idx
      at.textContent = i == null ? '' : 'at ' + readX(u.data[0][i], i)
      keys.forEach(({ line, out }, k) => (out.textContent = i == null ? '' : line.text ? line.text(i) : value(chart.raw[k]?.[i], line.unit)))
    }
    const u = new uPlot(
      {
        width: Math.max(plot.clientWidth, 200), height, legend: { show: false }, ...options,
        hooks: { ...options.hooks, setCursor: [read] },
      },
      data,
      plot,
    )
    u.root.querySelector('canvas').setAttribute('role', 'img')
    u.root.querySelector('canvas').setAttribute('aria-label', `${title}. ${about}`)
    plot.addEventListener('keydown', (e) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[e.key]
      if (!step) return
      e.preventDefault()
      const last = u.data[0].length - 1
      const i = Math.min(last, Math.max(0, (u.cursor.idx ?? -1) + step))
      u.setCursor({ left: u.valToPos(u.data[0][i], 'x'), top: 1 }, true, true)
    })
    new ResizeObserver(() => plot.clientWidth > 0 && plot.clientWidth !== u.width && u.setSize({ width: plot.clientWidth, height })).observe(plot)
    all.add(u)
    return Object.assign(chart, { u })
  }

  const all = new Set() // every uPlot on the page
  const groups = new WeakMap() // container → what is drawn in it
  addEventListener('themechange', () => {
    const paper = document.documentElement.classList.contains('print')
    for (const u of all) {
      const room = u.root.parentElement.clientWidth
      u.setSize({ width: paper ? Math.min(room, 690) : room, height: u.height })
      u.redraw(false, true)
    }
  })

  // remove takes charts off the page.
  const remove = (drawn) => drawn?.charts.forEach(({ u }) => {
    all.delete(u)
    u.destroy()
  })

  const place = (kind, index) => document.querySelector(`[data-chart="${kind}"][data-index="${index}"]`)
  const kinds = {} // name → draws into an element
  const draw = (kind, index, data) => {
    const into = place(kind, index)
    if (into && data) kinds[kind](into, data)
  }
  streamgauge.render = (data) => {
    for (const run of data.runs ?? []) {
      draw('timeline', run.run, run)
      draw('percentiles', run.run, run)
    }
    for (const d of data.delays ?? []) draw('delays', d.verdict, d.delays)
    draw('capacity', 0, data.capacity)
  }
  streamgauge.drawing = { colour, dashes, big, ms, clock, value, number, element, paint, cross, axis, logarithmic, linear, figure, remove, groups, kinds }
}
