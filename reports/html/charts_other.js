'use strict'
// Draws a client's delays and a search for capacity, and then all charts of the page.
{
  const { colour, dashes, big, ms, value, number, paint, cross, axis, logarithmic, linear, figure, groups, kinds } = streamgauge.drawing

  // Each delay stands over the span that it was allowed: ● within, ✕ outside.
  const delays = (container, list) => {
    if (groups.has(container)) return
    const attempts = Math.max(...list.map((d) => d.attempt))
    const clients = Math.max(1, ...list.map((d) => d.client ?? 1))
    const byClient = attempts === 1 && clients > 1
    const at = (d) => (byClient ? d.client : d.attempt + (clients > 1 ? ((d.client ?? 1) - 0.5) / clients - 0.5 : 0) * 0.7)
    const sorted = list.map((d) => ({ ...d, x: at(d) })).sort((a, b) => a.x - b.x)
    const high = Math.max(...sorted.flatMap((d) => [d.ms, d.high_ms ?? d.low_ms]))
    const outside = (d) => d.ms < d.low_ms || (d.high_ms > 0 && d.ms > d.high_ms)
    const count = sorted.filter(outside).length
    const line = { label: 'measured', colour: 'one', unit: 'ms', text: (i) => ms(sorted[i].ms) + (outside(sorted[i]) ? ' (outside)' : '') }
    const band = { label: 'allowed', colour: 'band', width: 6, text: (i) => ms(sorted[i].low_ms) + (sorted[i].high_ms ? ' to ' + ms(sorted[i].high_ms) : ' and more') }
    const ends = [byClient ? 0 : 0.5, (byClient ? clients : attempts) + (byClient ? 1 : 0.5)]
    const chart = figure(
      container,
      {
        title: byClient ? 'Delay of each client' : 'Delay before each attempt', about: `${sorted.length} delays, ${count} outside of what was allowed.`, lines: [line, band],
        readX: (_, i) => (byClient ? '' : 'attempt ' + sorted[i].attempt) + (clients > 1 ? ` client ${sorted[i].client}` : ''),
      },
      {
        padding: [8, 10, 0, 0],
        scales: { x: { time: false, range: ends }, y: { range: [0, high * 1.1] } },
        axes: [axis({ size: 26, incrs: [1, 2, 5, 10, 20, 50, 100], values: (u, splits) => splits.map((v) => (Number.isInteger(v) && v > ends[0] && v < ends[1] ? String(v) : '')) }), linear('ms').axis],
        series: [{}, { stroke: () => colour('one'), paths: () => null, points: { show: false } }],
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        hooks: {
          draw: [(u) => paint(u, (ctx, box, px) => {
            const room = (box.width / (ends[1] - ends[0])) * (byClient ? 1 : 0.7 / clients)
            const width = Math.max(1.5 * px, Math.min(16 * px, room * 0.7))
            const r = Math.max(1.6 * px, Math.min(4 * px, room * 0.45))
            for (const d of sorted) {
              const x = u.valToPos(d.x, 'x', true)
              const top = d.high_ms ? u.valToPos(d.high_ms, 'y', true) : box.top
              const bottom = u.valToPos(d.low_ms, 'y', true)
              ctx.fillStyle = colour('band')
              ctx.globalAlpha = 0.22
              ctx.fillRect(x - width / 2, top, width, bottom - top)
              ctx.globalAlpha = 0.9
              ctx.fillRect(x - width / 2, bottom - px, width, px)
              if (d.high_ms) ctx.fillRect(x - width / 2, top, width, px)
              ctx.globalAlpha = 1
            }
            for (const d of sorted) {
              const x = u.valToPos(d.x, 'x', true)
              const y = u.valToPos(d.ms, 'y', true)
              ctx.lineWidth = 2 * px
              ctx.strokeStyle = colour('fail')
              ctx.fillStyle = colour('one')
              if (outside(d)) {
                cross(ctx, x, y, r + px)
                continue
              }
              ctx.beginPath()
              ctx.arc(x, y, r, 0, 7)
              ctx.fill()
            }
          })],
        },
      },
      [sorted.map((d) => d.x), sorted.map((d) => d.ms)],
      220,
    )
    groups.set(container, { charts: [chart] })
  }

  // Each run of a search stands over its load: ● held, ✕ failed, ? unknown; the curve is what was fitted.
  const capacity = (place, data) => {
    if (groups.has(place)) return
    const steps = data.steps.toSorted((a, b) => a.value - b.value)
    const loads = steps.map((s) => s.value)
    const [least, most] = [loads[0], loads.at(-1)]
    const law = data.scaling && ((n) => (data.scaling.lambda * n) / (1 + data.scaling.sigma * (n - 1) + data.scaling.kappa * n * (n - 1)))
    const x = [...new Set([...loads, ...(law ? Array.from({ length: 101 }, (_, i) => least + ((most - least) * i) / 100) : [])])].sort((a, b) => a - b)
    const runs = (at) => steps.filter((s) => s.value === at)
    const spread = most > least ? (most - least) * 0.05 : Math.max(1, most * 0.1)
    const marks = (u, field) =>
      paint(u, (ctx, box, px) => {
        for (const s of steps) {
          if (s[field] == null || s[field] === 'never') continue
          const [cx, cy] = [u.valToPos(s.value, 'x', true), u.valToPos(s[field], 'y', true)]
          ctx.lineWidth = 2 * px
          ctx.strokeStyle = ctx.fillStyle = colour({ held: 'one', failed: 'fail', unknown: 'unknown' }[s.outcome])
          if (s.outcome === 'failed') cross(ctx, cx, cy, 4 * px)
          else if (s.outcome === 'held') {
            ctx.beginPath()
            ctx.arc(cx, cy, 3.5 * px, 0, 7)
            ctx.fill()
          } else {
            ctx.textAlign = 'center'
            ctx.fillText('?', cx, cy + 4 * px)
          }
        }
      })
    const line = (u) =>
      paint(u, (ctx, box, px) => {
        if (!(data.line > 0)) return
        const at = (v) => u.valToPos(v, 'x', true)
        ctx.fillStyle = ctx.strokeStyle = colour('band')
        ctx.globalAlpha = 0.15
        const from = at(data.low || data.line)
        ctx.fillRect(from, box.top, at(data.high || data.line) - from, box.height)
        ctx.globalAlpha = 1
        ctx.lineWidth = 1.5 * px
        ctx.beginPath()
        ctx.moveTo(at(data.line), box.top)
        ctx.lineTo(at(data.line), box.top + box.height)
        ctx.stroke()
        const left = at(data.line) > box.left + box.width * 0.7
        ctx.textAlign = left ? 'right' : 'left'
        ctx.fillText('the line: ' + big(data.line), at(data.line) + (left ? -5 : 5) * px, box.top + 12 * px)
      })
    const draw = (title, field, unit, y, fit) => {
      if (!steps.some((s) => typeof s[field] === 'number')) return []
      const column = x.map((at) => number(runs(at)[0]?.[field]))
      const lines = [{ label: 'runs', colour: 'one', text: (i) => runs(x[i]).map((s) => value(s[field], unit) + (s.outcome === 'held' ? '' : ' ' + s.outcome)).join(', ') || '–' }]
      if (fit) lines.push({ label: 'Universal Scalability Law', colour: 'two', dash: 'dashed', text: (i) => value(fit(x[i]), unit) })
      return [
        figure(
          place,
          { title: `${title} by ${data.key}`, about: `${steps.length} runs from ${big(least)} to ${big(most)}; the line is ${big(data.line)}.`, lines, readX: (at) => big(at) },
          {
            padding: [8, 14, 0, 0],
            scales: { x: { time: false, range: [Math.max(0, least - spread), most + spread] }, y: y.scale },
            axes: [axis({ size: 26, values: (u, splits) => splits.map(big) }), y.axis],
            series: [{}, { stroke: () => colour('one'), paths: () => null, points: { show: false } }, ...(fit ? [{ stroke: () => colour('two'), width: 1.6, dash: dashes.dashed, points: { show: false } }] : [])],
            cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
            hooks: { drawClear: [line], draw: [(u) => marks(u, field)] },
          },
          [x, column, ...(fit ? [x.map(fit)] : [])],
          240,
        ),
      ]
    }
    groups.set(place, {
      charts: [...draw('Deliveries per second', 'throughput', '', linear(''), law), ...draw('Latency p99', 'p99', 'ms', logarithmic)],
    })
  }

  Object.assign(kinds, { delays, capacity })
}

streamgauge.render(JSON.parse(document.getElementById('charts').textContent))
