'use strict'
// Follows a run: each event brings the page's content as it is now.
{
  // parts are what an element holds, without blanks and without what page.js has added.
  const parts = (e) => [...e.childNodes].filter((n) => (n.nodeType === Node.TEXT_NODE ? n.data.trim() : n.localName !== 'button'))

  // morph makes one element like another in place, so that what is unfolded, focused or scrolled stays so.
  const morph = (from, to) => {
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.data !== to.data) from.data = to.data
      return
    }
    for (const { name, value } of to.attributes) if (name !== 'open' && from.getAttribute(name) !== value) from.setAttribute(name, value)
    for (const { name } of [...from.attributes]) if (name !== 'open' && !to.hasAttribute(name)) from.removeAttribute(name)
    if (from.hasAttribute('data-keep') || from.hasAttribute('data-filter')) return
    const old = parts(from)
    for (const n of parts(to)) {
      const i = old.findIndex((o) => o.nodeName === n.nodeName && o.id === n.id)
      if (i < 0) {
        from.insertBefore(n, old[0] ?? null)
        continue
      }
      for (const gone of old.splice(0, i)) gone.remove()
      morph(old.shift(), n)
    }
    for (const gone of old) gone.remove()
  }

  const update = ({ title, html, charts }) => {
    document.title = title
    const now = document.createElement('div')
    now.id = 'content'
    now.innerHTML = html // made by the report's own templates, which escape; the page's policy runs no script in it
    const content = document.getElementById('content')
    morph(content, now)
    streamgauge.equip(content)
    streamgauge.render(charts)
  }

  const source = new EventSource(document.body.dataset.events)
  source.addEventListener('message', (e) => update(JSON.parse(e.data)))
  source.addEventListener('end', (e) => {
    source.close()
    update(JSON.parse(e.data))
  })
}
