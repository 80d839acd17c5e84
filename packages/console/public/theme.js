// Before the first paint, so that nobody who chose dark sees a white flash. Not a module: modules wait for the document.
;(() => {
  try {
    const kept = JSON.parse(localStorage.getItem('evergrant.console') ?? '{}')
    if (kept.theme === 'light' || kept.theme === 'dark') document.documentElement.dataset.theme = kept.theme
    if (kept.density === 'compact') document.documentElement.dataset.density = 'compact'
  } catch {
    // A browser that keeps nothing follows its system.
  }
})()
