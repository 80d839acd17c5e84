// Shows alerts that the server pushes to this browser (Push API). It keeps nothing and asks for nothing.
self.addEventListener('push', (event) => {
  const { title = 'Evergrant', body = '', severity, url } = event.data?.json() ?? {}
  event.waitUntil(self.registration.showNotification(title, { body, icon: 'icon.svg', requireInteraction: severity === 'critical', data: { url } }))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { url } = event.notification.data ?? {}
  if (typeof url === 'string') event.waitUntil(self.clients.openWindow(url))
})
