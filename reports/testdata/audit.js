// Looks at a page as somebody would who cannot see well, and returns what is wrong with it, a line each.
(() => {
  const wrong = []
  const name = (e) => `${e.localName}${e.id ? '#' + e.id : ''}${e.className && e.className.trim ? '.' + e.className.trim().replace(/\s+/g, '.') : ''} "${e.textContent.trim().slice(0, 30)}"`
  const seen = (e) => e.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true }) && e.getClientRects().length > 0

  const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((h) => Number(h.localName[1]))
  if (headings.filter((n) => n === 1).length !== 1 || headings[0] !== 1) wrong.push(`headings do not begin with the only h1: ${headings}`)
  headings.forEach((n, i) => i > 0 && n > headings[i - 1] + 1 && wrong.push(`h${n} follows h${headings[i - 1]}`))
  for (const part of ['main', 'header', 'footer']) if (!document.querySelector(part)) wrong.push(`there is no ${part}`)
  if (!document.documentElement.lang) wrong.push('the page has no language')
  if (!document.title) wrong.push('the page has no title')

  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id)
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) wrong.push(`id ${id} is not unique`)
  for (const a of document.querySelectorAll('a[href^="#"]')) if (!document.getElementById(a.getAttribute('href').slice(1))) wrong.push(`${name(a)} leads to nothing: ${a.getAttribute('href')}`)

  for (const e of document.querySelectorAll('canvas, img, svg, [role=group], [role=region]')) {
    if (e.getAttribute('aria-hidden') !== 'true' && !e.getAttribute('aria-label')) wrong.push(`${name(e)} has no label`)
  }
  for (const e of document.querySelectorAll('input')) if (!e.labels.length) wrong.push(`${name(e)} has no label`)
  for (const e of document.querySelectorAll('button, a[href], summary')) if (!e.textContent.trim()) wrong.push(`${name(e)} has no text`)
  for (const t of document.querySelectorAll('table')) if (!t.querySelector('thead th[scope=col]')) wrong.push(`a table has no column headers: ${name(t)}`)

  for (const canvas of document.querySelectorAll('canvas')) {
    const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height }).getContext('2d', { willReadFrequently: true })
    copy.drawImage(canvas, 0, 0)
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height)
    let painted = 0
    for (let i = 3; i < data.length; i += 4) painted += data[i] > 0
    if (painted < 200) wrong.push(`a chart is empty: ${canvas.getAttribute('aria-label')}`)
  }

  // Contrast, with half-transparent colours laid over what is behind them.
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgba = (css) => {
    paint.clearRect(0, 0, 1, 1)
    paint.fillStyle = css
    paint.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1]
  const behind = (e) => {
    const layers = []
    for (let at = e; at; at = at.parentElement) {
      const c = rgba(getComputedStyle(at).backgroundColor)
      layers.push(c)
      if (c[3] === 1) break
    }
    return layers.reverse().reduce((under, c) => over(c, under), [255, 255, 255, 1])
  }
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const checked = new Map()
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  let count = 0
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement
    if (!texts.currentNode.data.trim() || !seen(e) || ['SCRIPT', 'STYLE'].includes(e.nodeName)) continue
    count++
    const [back, fore] = [behind(e), rgba(getComputedStyle(e).color)]
    const key = `${back} ${fore}`
    if (checked.has(key)) continue
    const [a, b] = [light(back), light(over(fore, back))].sort((x, y) => y - x)
    checked.set(key, (a + 0.05) / (b + 0.05))
    if (checked.get(key) < 4.5) wrong.push(`contrast ${checked.get(key).toFixed(2)} of ${name(e)}`)
  }
  if (count < 5) wrong.push(`only ${count} texts are seen`)

  for (const e of document.querySelectorAll('.mark, td')) {
    if (seen(e) && e.getBoundingClientRect().width < 3) wrong.push(`${name(e)} is hidden`)
  }

  const room = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth > room) {
    const wide = [...document.querySelectorAll('body *')].filter((e) => seen(e) && e.getBoundingClientRect().right > room + 1 && !e.closest('.scroll, pre'))
    wrong.push(`the page is ${document.documentElement.scrollWidth} wide in ${room}: ${wide.slice(0, 3).map(name).join(', ')}`)
  }
  return wrong
})()
