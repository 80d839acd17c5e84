const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ESCAPES[found] ?? found)
}

/** Only addresses of the web: nothing that a reader would run. */
export function linkHtml(url: string, label: string): string {
  return /^https?:\/\//.test(url) ? `<a href="${escapeHtml(url)}" style="color:#1d4ed8">${escapeHtml(label)}</a>` : escapeHtml(label)
}

export function buttonHtml(url: string, label: string): string {
  if (!/^https?:\/\//.test(url)) return ''
  const style = 'display:inline-block;padding:12px 20px;border-radius:8px;background:#1d4ed8;color:#ffffff;text-decoration:none;font-weight:600'
  return `<p style="margin:24px 0"><a href="${escapeHtml(url)}" style="${style}">${escapeHtml(label)}</a></p>`
}

/** A whole letter: no image, no script, nothing from elsewhere. Readable in the dark and at 320 px. */
export function letterHtml(title: string, body: string, footer: string): string {
  const font = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${escapeHtml(title)}</title></head>
<body style="margin:0;padding:24px 16px;${font};font-size:16px;line-height:1.5">
<div role="article" style="max-width:560px;margin:0 auto">
<h1 style="font-size:20px;line-height:1.3;margin:0 0 16px">${escapeHtml(title)}</h1>
${body}
<p style="margin:32px 0 0;font-size:13px;opacity:.75">${footer}</p>
</div></body></html>
`
}
