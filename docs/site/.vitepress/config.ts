import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { slugOf } from '../anchors.ts'
import { sidebarOf } from '../sidebar.ts'
import { stagedPages } from '../stage.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const base = process.env['DOCS_BASE'] ?? '/'

// biome-ignore lint/style/noDefaultExport: VitePress reads it so.
export default defineConfig({
  title: 'Evergrant',
  description: 'Connect once. Stay connected. A self-hosted server that keeps OAuth connections alive.',
  lang: 'en',
  base,
  srcDir: '.stage',
  cacheDir: '.vitepress/cache',
  cleanUrls: false,
  lastUpdated: false,
  // Shapes of requests are long tables; nothing is gained by preloading other pages.
  router: { prefetchLinks: false },
  head: [['link', { rel: 'icon', href: `${base}icon.svg`, type: 'image/svg+xml' }]],
  vite: { publicDir: fileURLToPath(new URL('../public', import.meta.url)), build: { chunkSizeWarningLimit: 4000 } },
  markdown: {
    anchor: { slugify: slugOf },
    toc: { slugify: slugOf },
    config: (md) => {
      const fence = md.renderer.rules.fence
      md.renderer.rules.fence = (tokens, index, ...rest) => {
        const token = tokens[index]
        if (token?.info.trim() === 'mermaid') return `<MermaidDiagram text="${encodeURIComponent(token.content)}" />`
        return fence?.(tokens, index, ...rest) ?? ''
      }
    },
  },
  themeConfig: {
    logo: '/icon.svg',
    nav: [
      { text: 'Start', link: '/guides/start' },
      { text: 'Guides', link: '/contents' },
      { text: 'API', link: '/reference/http' },
      { text: 'Errors', link: '/errors' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
    ],
    sidebar: sidebarOf(stagedPages(root)) as never,
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    externalLinkIcon: true,
  },
})
