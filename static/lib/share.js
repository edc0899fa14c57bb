// A link for somebody else: copied, or shown as a QR code to their camera.

import { Component, Dialog, Field, Icon, copy, html, say } from './ui.js';
import { t } from './i18n.js';

/**
 * Drawn once: another text wants another key.
 * @extends {Component<{text: string, onMissing: () => void}, {path: string, size: number}>}
 */
class QrCode extends Component {
  state = { path: '', size: 0 };

  componentDidMount() {
    this.draw().catch(this.props.onMissing);
  }

  async draw() {
    const { default: qrcode } = await import('/vendor/qrcode.js');
    const code = qrcode(0, 'L');
    let path = '';

    code.addData(this.props.text);
    code.make();
    const size = code.getModuleCount();
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) if (code.isDark(y, x)) path += `M${x} ${y}h1v1h-1z`;
    this.setState({ path, size });
  }

  /** @param {unknown} _ @param {{path: string, size: number}} state */
  render(_, { path, size }) {
    return html`
      <svg class="qr-code" viewBox=${`-4 -4 ${size + 8} ${size + 8}`} role="img" aria-label=${t('share.qr')}
        shape-rendering="crispEdges">
        <rect x="-4" y="-4" width=${size + 8} height=${size + 8} fill="#fff" /><path d=${path} fill="#000" />
      </svg>
    `;
  }
}

/** @param {string} link */
export async function copyLink(link) {
  if (await copy(link)) {
    say(t('share.copied'));
    return true;
  }
  return false;
}

/**
 * The link in full, to copy by hand where the clipboard is closed, and its code.
 * @typedef {{title: string, about: string, link: string, onClose: () => void}} Props
 */

/** @typedef {{said: string, missing: boolean}} State missing: there is no code to be seen */

/** Says itself what it did: what the page says lies under a dialog. @extends {Component<Props, State>} */
export class ShareDialog extends Component {
  state = { said: '', missing: false };

  copy = async () => {
    this.setState({ said: '' }); // the same words again are heard again
    const done = await copy(this.props.link);
    if (!done) this.select();
    this.setState({ said: t(done ? 'share.copied' : 'share.by_hand') });
  };

  missing = () => this.setState({ missing: true, said: t('problem.offline') });

  select() {
    const field = /** @type {HTMLInputElement} */ (document.getElementById('f-share-link'));
    field.focus();
    field.select();
  }

  /** @param {Props} props @param {State} state */
  render({ title, about, link, onClose }, { said, missing }) {
    return html`
      <${Dialog} title=${title} onClose=${onClose}>
        <div class="stack share">
          <p>${about}</p>
          ${!missing && html`<${QrCode} key=${link} text=${link} onMissing=${this.missing} />`}
          <${Field} label=${t('share.link')} name="share-link" readonly value=${link} dir="ltr"
            onFocus=${(/** @type {any} */ e) => e.target.select()} />
          <p class="said" role="status">${said}</p>
          <footer>
            <button type="button" onClick=${onClose}>${t('action.close')}</button>
            <button type="button" class="primary" onClick=${this.copy}>
              <${Icon} name="copy" /> ${t('share.copy')}</button>
          </footer>
        </div>
      <//>
    `;
  }
}
