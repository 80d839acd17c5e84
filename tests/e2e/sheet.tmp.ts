import { readFileSync } from 'node:fs'
import { launchBrowser } from '../../packages/lab/src/browser.ts'

const [out, width, ...files] = process.argv.slice(2)
const b = await launchBrowser()
const p = await b.newPage({ viewport: { width: 1700, height: 900 } })
await p.setContent(
  `<body style="margin:0;background:#888;display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start">${files.map((f) => `<img width=${width} src="data:image/png;base64,${readFileSync(f).toString('base64')}">`).join('')}`,
)
await p.screenshot({ path: out!, fullPage: true })
await b.close()
