// What test_browser.py asks of a page. Posts one message to the frame's owner once the page has loaded.
const luminance = colour => {
  const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map(x => {
    x /= 255;
    return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {  // of WCAG 2
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
};
addEventListener('load', () => {
  const all = selector => [...document.querySelectorAll(selector)];
  const wide = all('body *').filter(e => !e.closest('.tablebox, pre') && e.getBoundingClientRect().right > innerWidth + 1);
  const cut = all('figure svg text').filter(t => {
    const figure = t.closest('figure').getBoundingClientRect(), box = t.getBoundingClientRect();
    return box.width > 0 && (box.right > figure.right + 12 || box.left < figure.left - 12);
  });
  const links = all('a[href^="#"]').map(a => a.getAttribute('href').slice(1));
  const card = getComputedStyle(document.querySelector('section')).backgroundColor;
  const ink = getComputedStyle(document.querySelector('figure svg text')).fill;
  parent.postMessage({
    text: document.querySelector('main').innerText,
    width: innerWidth,
    scroll: document.documentElement.scrollWidth,
    wide: wide.slice(0, 5).map(e => e.tagName + ' ' + e.textContent.trim().slice(0, 40)),
    cut: cut.slice(0, 5).map(t => t.textContent),
    links: links.length,
    dangling: links.filter(id => !document.getElementById(id)),
    figures: all('figure svg[role=img]').length,
    page: getComputedStyle(document.body).backgroundColor,
    card,
    ink,
    contrast: contrast(ink, card),
    badge: Math.min(...all('.badge').map(b => contrast(getComputedStyle(b).color, card))),
    asked: performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.startsWith('data:')),
  }, '*');
});
