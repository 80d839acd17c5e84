import type { Labels } from '../labels.ts'

const reconnect = { primary: 'Reconectar {P}' }
const signIn = { primary: 'Iniciar sesión' }

export const es: Labels = {
  locale: 'es',
  provider: 'el proveedor',
  account: 'tu cuenta',
  app: 'el servidor',
  details: 'Detalles',
  dismiss: 'Cerrar',
  more: { one: '{n} conexión más necesita atención', other: '{n} conexiones más necesitan atención' },
  region: 'Conexiones',
  status: {
    valid: 'Conectado',
    expiring: 'Caduca pronto',
    refreshing: 'Renovando',
    needs_reauth: 'Hay que reconectar',
    unavailable: 'No disponible',
    disconnected: 'Desconectado',
    unknown: 'Comprobando',
  },
  messages: {
    connection_expired: {
      title: 'Hay que reconectar {P}',
      body: [
        'El acceso a {A} caducó el {date}. La sincronización está en pausa; no se ha borrado nada.',
        'El acceso a {A} ha caducado. La sincronización está en pausa; no se ha borrado nada.',
      ],
      ...reconnect,
      secondary: 'Recordármelo mañana',
    },
    connection_expiring: {
      title: 'El acceso a {P} termina {T}',
      body: ['Renueva {A} antes del {date} para evitar una interrupción.'],
      primary: 'Renovar ahora',
      secondary: 'Ocultar hasta 24 h antes',
    },
    connection_revoked: {
      title: 'Se retiró el acceso a {P}',
      body: [
        'Alguien retiró nuestro acceso a {A} en {P}, o cambió su contraseña o una política de seguridad. Si no fuiste tú, consulta con tu administrador de {P}.',
      ],
      ...reconnect,
      secondary: 'Desconectar',
    },
    refresh_outcome_lost: {
      title: 'Hay que reconectar {P}',
      body: ['La conexión con {A} se interrumpió mientras {P} la renovaba. No se ha borrado nada.'],
      ...reconnect,
      secondary: 'Recordármelo mañana',
    },
    rotated_after_backup: {
      title: 'Hay que reconectar {P}',
      body: ['Tuvimos que volver a una copia de seguridad anterior a la conexión con {A}. No se ha borrado nada.'],
      ...reconnect,
    },
    grant_kept_elsewhere: {
      title: '{P} está conectado en otra instalación',
      body: ['Esta es una copia de otra instalación, que conserva la conexión con {P}. Vuelve a conectar para usar {P} aquí.'],
      ...reconnect,
    },
    new_credentials_needed: {
      title: '{P} necesita credenciales nuevas',
      body: ['La clave o la contraseña guardada para {P} ya no sirve. No se ha borrado nada. Hace falta una nueva para continuar.'],
    },
    scope_missing: {
      title: '{P} necesita un permiso más',
      body: ['Para {feature}, permite: «{scope}». Lo demás sigue funcionando.', 'Para esto hace falta un permiso más en {P}. Lo demás sigue funcionando.'],
      primary: 'Permitir en {P}',
      secondary: 'Ahora no',
    },
    admin_approval_required: {
      title: 'Tu administrador de {P} debe aprobarlo',
      body: ['Envía este enlace a un administrador de {tenant}.', 'Envía este enlace a un administrador de tu organización de {P}.'],
      primary: 'Copiar el enlace de solicitud',
      secondary: 'Soy administrador',
    },
    account_mismatch: {
      title: 'Esa era otra cuenta de {P}',
      body: [
        'Esta conexión pertenece a {A}; has entrado como {B}. No se ha cambiado nada.',
        'Esta conexión pertenece a {A}; has entrado con otra cuenta. No se ha cambiado nada.',
      ],
      primary: 'Intentar de nuevo como {A}',
      secondary: 'Añadir {B} como conexión nueva',
    },
    connection_paused: { title: '{P} está en pausa', body: ['La conexión con {A} está en pausa. No se ha borrado nada.'] },
    connection_disconnected: { title: '{P} está desconectado', body: ['La conexión con {A} se desconectó.'], ...reconnect },
    client_rejected: { title: '{P} no está disponible en este momento', body: ['Hemos avisado al equipo.'], secondary: 'Contactar con soporte' },
    provider_rate_limited: {
      title: '{P} nos pidió ir más despacio',
      body: ['Las solicitudes de {A} se reanudan {T}. No se pierde nada.', 'Las solicitudes de {A} se reanudan pronto. No se pierde nada.'],
      secondary: 'Detalles',
    },
    provider_unavailable: {
      title: '{P} no responde',
      body: [
        '{P} tiene problemas desde {time}. Seguimos intentándolo; no hace falta reconectar.',
        '{P} tiene problemas. Seguimos intentándolo; no hace falta reconectar.',
      ],
      secondary: 'Página de estado de {P}',
    },
    outcome_unknown: { title: 'Esperando a {P}', body: ['{P} no respondió. Seguimos intentándolo; no hace falta reconectar.'] },
    deaths_held: {
      title: 'Comprobando con {P}',
      body: ['{P} rechazó muchas conexiones a la vez, así que lo estamos comprobando. Todavía no hace falta reconectar.'],
    },
    refresh_in_progress: { title: 'Renovando {P}', body: ['Un momento: se está renovando {P}.'] },
    reconnect_waiting: {
      title: 'Esperando a {P}',
      body: ['Termina en la ventana que abrimos. ¿La cerraste? Empieza de nuevo.'],
      primary: 'Abrir de nuevo',
      secondary: 'Cancelar',
    },
    reconnect_cancelled: {
      title: 'Reconexión sin terminar',
      body: ['La ventana de inicio de sesión se cerró antes de que {P} confirmara.'],
      primary: 'Abrir de nuevo',
      secondary: 'Cancelar',
    },
    popup_blocked: {
      title: 'Tu navegador bloqueó la ventana',
      body: ['Permite las ventanas emergentes de este sitio o continúa en esta pestaña.'],
      primary: 'Continuar en esta pestaña',
      secondary: 'Cómo permitirlas',
    },
    reconnected: { title: 'Reconectado como {A}.', body: [] },
    client_offline: { title: 'No tienes conexión', body: ['Lo reintentaremos solos. Tu trabajo se conserva.'], primary: 'Probar ahora' },
    service_unreachable: {
      title: 'No se puede contactar con {App}',
      body: ['Reintento {T}. Tu sesión sigue abierta.', 'Reintentando. Tu sesión sigue abierta.'],
      primary: 'Probar ahora',
      secondary: 'Página de estado',
    },
    session_missing: { title: 'Inicia sesión', body: [], ...signIn },
    session_expired: {
      title: 'Inicia sesión de nuevo',
      body: [
        'Se cerró tu sesión: {reason}. Lo que escribiste en esta página se conserva.',
        'Se cerró tu sesión porque llevabas un tiempo sin venir. Lo que escribiste en esta página se conserva.',
      ],
      ...signIn,
    },
    session_signed_out: { title: 'Cerraste la sesión en otra pestaña', body: [], ...signIn },
    session_revoked: { title: 'Se cerró tu sesión', body: ['La cerró alguien que gestiona {App}. Vuelve a entrar o pregúntale.'], ...signIn },
    session_reuse_detected: {
      title: 'Cerramos esta sesión por seguridad',
      body: ['La sesión se usó desde dos lugares. Inicia sesión de nuevo y revisa la actividad reciente.'],
      ...signIn,
      secondary: 'Revisar la actividad',
    },
    clock_skew: {
      title: 'El reloj de tu dispositivo se desvía {n} min',
      body: ['El inicio de sesión puede fallar hasta que se corrija.'],
      primary: 'Cómo corregirlo',
    },
    unknown: {
      title: 'Algo falló con {P}',
      body: ['Lo estamos reintentando. Si continúa, envíanos este identificador: {requestId}.', 'Lo estamos reintentando.'],
      primary: 'Reintentar',
      secondary: 'Copiar los detalles',
    },
  },
}
