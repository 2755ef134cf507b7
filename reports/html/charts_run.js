'use strict'
// Draws a run: its timeline, and its latency by percentile.
{
  const { colour, dashes, ms, clock, value, number, element, paint, cross, axis, logarithmic, linear, figure, remove, groups, kinds } = streamgauge.drawing

  // bands draws the faults behind the lines, and their names above the first chart.
  const bands = (u, faults, named) =>
    paint(u, (ctx, box, px) => {
      let free = -Infinity
      for (const f of faults) {
        const from = Math.max(u.valToPos(f.from_ms / 1000, 'x', true), box.left)
        const until = Math.min(u.valToPos(Math.max(f.until_ms ?? 0, f.from_ms) / 1000, 'x', true), box.left + box.width)
        if (until < box.left || from > box.left + box.width) continue
        ctx.strokeStyle = ctx.fillStyle = colour('band')
        ctx.globalAlpha = 0.13
        ctx.fillRect(from, box.top, until - from, box.height)
        ctx.globalAlpha = 0.8
        ctx.lineWidth = px
        ctx.setLineDash(until > from ? [] : [4 * px, 3 * px])
        ctx.beginPath()
        for (const x of new Set([from, until])) {
          ctx.moveTo(x, box.top - (named ? 4 * px : 0))
          ctx.lineTo(x, box.top + box.height)
        }
        ctx.stroke()
        if (!named || from < free) continue
        ctx.globalAlpha = 1
        ctx.fillText(f.fault, from, box.top - 6 * px)
        free = from + ctx.measureText(f.fault).width + 8 * px
      }
    })

  const charts = [
    { title: 'Connected subscribers', lines: [{ name: 'connected', label: 'connected', colour: 'one' }], height: 96, fill: true },
    { title: 'Deliveries per second', lines: [{ name: 'deliveries', label: 'deliveries', colour: 'one' }], height: 96, fill: true },
    {
      title: 'Latency since due', height: 200, log: true, unit: 'ms', lines: [
        { name: 'latency.p50', label: 'p50', colour: 'one', unit: 'ms' },
        { name: 'latency.p99', label: 'p99', colour: 'two', unit: 'ms', dash: 'dashed' },
        { name: 'latency.max', label: 'max', colour: 'three', unit: 'ms', dash: 'dotted' },
      ],
    },
    { title: 'Reconnects per second', lines: [{ name: 'reconnects', label: 'reconnects', colour: 'two' }], height: 80, bars: true, none: 'Reconnects: none.' },
    {
      title: 'Refused and given up per second', height: 96, lines: [
        { name: 'refused', label: 'refused', colour: 'two' }, { name: 'timed_out', label: 'given up', colour: 'three', dash: 'dashed' },
      ],
    },
    { title: 'Lost deliveries, by when they were due', lines: [{ name: 'lost', label: 'lost', colour: 'fail' }], height: 80, bars: true, none: 'Lost deliveries: none.' },
  ]

  const extremes = (chart, series) =>
    chart.lines.map(({ name, label, unit }) => {
      const values = series[name] ?? []
      const numbers = values.filter((v) => typeof v === 'number')
      const never = values.filter((v) => v === 'never').length
      if (numbers.length === 0) return never ? `${label}: never.` : ''
      const [low, high] = numbers.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity])
      return `${label} from ${value(low, unit)} to ${value(high, unit)}${never ? `, and something never came in ${never} seconds` : ''}.`
    }).join(' ')

  // nevers marks the seconds in which something that was due never came, above the plot.
  const nevers = (u, chart) =>
    paint(u, (ctx, box, px) => {
      const seconds = u.data[0].filter((_, i) => chart.raw.some((values) => values?.[i] === 'never'))
      if (seconds.length === 0) return
      ctx.strokeStyle = ctx.fillStyle = colour('fail')
      ctx.lineWidth = 1.6 * px
      for (const s of seconds) {
        const x = u.valToPos(s, 'x', true)
        if (x >= box.left && x <= box.left + box.width) cross(ctx, x, box.top - 11 * px, 3 * px)
      }
      ctx.textAlign = 'right'
      ctx.fillText('never', box.left - 8 * px, box.top - 8 * px)
    })

  const timeline = (container, run) => {
    const has = (line) => run.series[line.name]?.some((v) => v !== null)
    const some = (line) => run.series[line.name]?.some((v) => v === 'never' || v > 0)
    const shown = charts.filter((c) => (c.none ? c.lines.some(some) : c.lines.some(has)))
    const length = Math.max(0, ...Object.values(run.series).map((v) => v.length))
    const x = Array.from({ length }, (_, i) => i * run.step)
    const raws = shown.map((c) => c.lines.map((l) => run.series[l.name] ?? []))
    const tables = raws.map((raw) => [x, ...raw.map((values) => x.map((_, i) => number(values[i])))])
    const signature = shown.map((c) => c.title).join() + run.step
    const drawn = groups.get(container)
    if (drawn?.signature === signature) {
      drawn.run = run
      drawn.charts.forEach((chart, i) => {
        chart.raw = raws[i]
        chart.u.setData(tables[i], !drawn.zoom)
      })
      return
    }
    remove(drawn)
    const group = { signature, run, charts: [], zoom: false }
    groups.set(container, group)
    container.replaceChildren()
    const reset = element('button', { type: 'button' }, 'show all of it')
    const zoomed = element('div', { class: 'zoomed', hidden: '' }, element('output', {}), reset)
    container.append(zoomed)
    const zoom = (min, max) => {
      const end = group.run && Math.max(x.at(-1) ?? 0, 0)
      group.zoom = min > 0 || max < end
      zoomed.hidden = !group.zoom
      zoomed.firstChild.textContent = `showing ${clock(min)} to ${clock(max)}`
      for (const { u } of group.charts) if (u.scales.x.min !== min || u.scales.x.max !== max) u.setScale('x', { min, max })
    }
    reset.addEventListener('click', () => {
      const times = group.charts[0].u.data[0]
      zoom(times[0], times.at(-1))
    })
    shown.forEach((c, i) => {
      const last = i === shown.length - 1
      const y = c.log ? logarithmic : linear(c.unit)
      const chart = figure(
        container,
        { title: c.title, about: extremes(c, run.series), lines: c.lines, readX: (s) => clock(s) + (run.step > 1 ? ` to ${clock(s + run.step)}` : '') },
        {
          padding: [c.log ? 22 : i === 0 ? 18 : 6, 8, last ? 0 : 4, 0],
          scales: { x: { time: false }, y: y.scale },
          axes: [axis({ size: last ? 26 : 0, values: (u, splits) => splits.map((s) => (last ? clock(s) : '')) }), y.axis],
          series: [{}, ...c.lines.map((line) => ({
            stroke: () => colour(line.colour), width: line.width ?? 1.6, dash: dashes[line.dash ?? 'solid'], spanGaps: false, points: { show: false },
            ...(c.bars ? { paths: uPlot.paths.bars({ size: [0.8, 14], align: 1 }), fill: () => colour(line.colour), width: 0 } : {}),
            ...(c.fill ? { fill: () => colour('fill'), paths: uPlot.paths.stepped({ align: 1 }) } : {}),
          }))],
          cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false }, sync: { key: 'run' + run.run, filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } } },
          hooks: {
            drawClear: [(u) => bands(u, group.run.faults ?? [], i === 0)],
            draw: c.log ? [(u) => group.charts[i] && nevers(u, group.charts[i])] : [],
            setScale: [(u, key) => key === 'x' && group.charts[i] && zoom(u.scales.x.min, u.scales.x.max)],
          },
        },
        tables[i],
        c.height + (i === 0 ? 12 : 0) + (last ? 20 : 0),
      )
      chart.raw = raws[i]
      group.charts.push(chart)
      if (c.log) chart.u.redraw()
    })
    for (const c of charts) if (c.none && !shown.includes(c) && c.lines.some((l) => run.series[l.name])) container.append(element('p', { class: 'none muted' }, c.none))
  }

  // The percentile plot stretches the end of the distribution: each step to the right is ten times rarer.
  const rarity = (q) => -Math.log10(1 - q)
  const percentile = (x) => {
    return Number((100 * (1 - 10 ** -x)).toFixed(Math.max(0, Math.ceil(x) - 2))) + '%'
  }
  const ranked = ['latency', 'latency.uncorrected']
  const curveLines = {
    latency: { label: 'since due (corrected)', colour: 'one', width: 2.2 },
    'latency.uncorrected': { label: 'since sent (uncorrected)', colour: 'two', dash: 'dashed' },
  }

  const percentiles = (container, run) => {
    const curves = ranked.map((name) => run.curves?.find((c) => c.name === name)).filter((c) => c?.points?.length)
    if (curves.length === 0) return
    const whole = curves[0]
    const lost = whole.missing ?? 0
    const total = (whole.samples ?? 0) + lost
    const lostFrom = lost > 0 ? rarity(1 - lost / total) : Infinity
    const points = curves.map((c) => c.points.filter((p) => typeof p.v === 'number').map((p) => [p.q >= 1 ? Math.log10(Math.max(total, 2)) : rarity(p.q), p.v]))
    let end = Math.max(...points.flat().map(([x]) => x), 1)
    if (lost > 0) end = lostFrom + Math.max(0.35, lostFrom * 0.2)
    const x = [...new Set([...points.flat().map(([at]) => at).filter((at) => at <= end), end])].sort((a, b) => a - b)
    const columns = points.map((list) => {
      const byX = new Map(list)
      return x.map((at) => byX.get(at) ?? null)
    })
    const near = (column, i) => {
      for (let k = i; k >= 0; k--) if (column[k] != null) return column[k]
    }
    const lines = curves.map((c, k) => ({ ...curveLines[c.name], unit: 'ms', text: (i) => (k === 0 && x[i] >= lostFrom ? 'never' : value(near(columns[k], i), 'ms')) }))
    const signature = JSON.stringify(x)
    const drawn = groups.get(container)
    if (drawn?.signature === signature) return
    remove(drawn)
    container.replaceChildren()
    const about = lost > 0 ? `${lost.toLocaleString('en')} of ${total.toLocaleString('en')} expected deliveries never came.` : `All ${total.toLocaleString('en')} expected deliveries came.`
    const chart = figure(
      container,
      { title: 'Latency by percentile', about, lines, readX: (at) => percentile(at) },
      {
        padding: [8, 14, 0, 0],
        scales: { x: { time: false, range: [0, end] }, y: logarithmic.scale },
        axes: [
          axis({ size: 26, splits: () => [0, Math.log10(2), ...Array.from({ length: Math.floor(end) }, (_, i) => i + 1)], values: (u, splits) => splits.map((at, i) => (i < 2 || (splits.length - 1 - i) % Math.ceil((60 * end) / u.width) === 0 ? percentile(at) : '')) }),
          logarithmic.axis,
        ],
        series: [{}, ...lines.map((line) => ({ stroke: () => colour(line.colour), width: line.width ?? 1.6, dash: dashes[line.dash ?? 'solid'], spanGaps: true, points: { show: false } }))],
        cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
        hooks: {
          drawClear: [(u) => lost > 0 && paint(u, (ctx, box) => {
            const from = u.valToPos(lostFrom, 'x', true)
            ctx.fillStyle = colour('fail')
            ctx.globalAlpha = 0.13
            ctx.fillRect(from, box.top, box.left + box.width - from, box.height)
          })],
          draw: [(u) => lost > 0 && paint(u, (ctx, box, px) => {
            const from = u.valToPos(lostFrom, 'x', true)
            const to = box.left + box.width
            const text = `${lost.toLocaleString('en')} never came`
            const write = (x, y) => {
              ctx.strokeStyle = colour('bg')
              ctx.lineWidth = 4 * px
              ctx.strokeText(text, x, y)
              ctx.fillText(text, x, y)
            }
            ctx.fillStyle = ctx.strokeStyle = colour('fail')
            ctx.lineWidth = 2 * px
            ctx.setLineDash([3 * px, 3 * px])
            ctx.beginPath()
            ctx.moveTo(from, box.top)
            ctx.lineTo(from, box.top + box.height)
            ctx.stroke()
            ctx.setLineDash([])
            cross(ctx, (from + to) / 2, box.top + 12 * px, 4 * px)
            const fits = ctx.measureText(text).width < to - from - 8 * px
            ctx.textAlign = fits ? 'center' : 'right'
            write(fits ? (from + to) / 2 : from - 6 * px, box.top + (fits ? 34 : 16) * px)
          })],
        },
      },
      [x, ...columns],
      260,
    )
    groups.set(container, { signature, charts: [chart] })
  }

  Object.assign(kinds, { timeline, percentiles })
}
