'use strict'
// What the page does beside its charts: copying, filtering, unfolding. All text is there without it.
const streamgauge = { render() {} }

streamgauge.equip = (root) => {
  for (const pre of root.querySelectorAll('[data-copy]')) {
    if (pre.querySelector('button')) continue
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = 'copy'
    button.addEventListener('click', async () => {
      const code = pre.querySelector('code')
      try {
        await navigator.clipboard.writeText(code.textContent)
        button.textContent = 'copied'
      } catch {
        getSelection().selectAllChildren(code) // ready for the reader's own hand
        button.textContent = 'selected'
      }
    })
    pre.append(button)
  }
  for (const place of root.querySelectorAll('[data-filter]')) {
    if (place.firstChild) continue
    const label = document.createElement('label')
    const input = document.createElement('input')
    input.type = 'search'
    input.addEventListener('input', () => {
      const wanted = input.value.trim().toLowerCase()
      for (const row of document.querySelectorAll(place.dataset.filter)) row.hidden = !row.textContent.toLowerCase().includes(wanted)
    })
    label.append('Show only rows with', input)
    place.append(label)
  }
}

// A link to something folded unfolds it.
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  for (let at = target; at; at = at.parentElement) if (at.localName === 'details') at.open = true
  target?.scrollIntoView()
}
addEventListener('hashchange', unfold)

// On paper everything is unfolded, and light.
let folded = []
addEventListener('beforeprint', () => {
  folded = [...document.querySelectorAll('main details:not([open])')]
  for (const d of folded) d.open = true
  document.documentElement.classList.add('print')
  dispatchEvent(new Event('themechange'))
})
addEventListener('afterprint', () => {
  for (const d of folded) d.open = false
  document.documentElement.classList.remove('print')
  dispatchEvent(new Event('themechange'))
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => dispatchEvent(new Event('themechange')))

streamgauge.equip(document)
if (location.hash) unfold()
