// Many teachers or students at once, from a CSV: every row is looked at before any is taken.

import { Component, Dialog, Field, Notice, html } from '../lib/ui.js';
import { api, explain } from '../lib/api.js';
import { number, t } from '../lib/i18n.js';

/** @typedef {'teachers' | 'students'} Kind */
/** @typedef {{line: number, ok: boolean, name: string, problem: string | null}} Row */
/**
 * @typedef {{
 *   kind: Kind,
 *   csv: string,
 *   rows: Row[] | null,
 *   created: number | null,
 *   kept: boolean,
 *   busy: boolean,
 *   garbled: boolean,
 *   error: unknown,
 * }} State
 */

const COLUMNS = {
  teachers: 'name,email',
  students: 'name,teacher_email,package,language,telegram_chat_id,zoom_url,note',
};

/** @extends {Component<{kind: Kind, onDone: () => void, onClose: () => void}, State>} */
export class ImportDialog extends Component {
  /** @type {State} */
  state = {
    kind: this.props.kind, csv: '', rows: null, created: null, kept: false, busy: false, garbled: false, error: null,
  };

  /** What is not UTF-8 is refused: read as if it were, it would be names of broken letters. @param {any} event */
  pick = async ({ target }) => {
    const file = target.files[0];
    if (!file) return;
    const bytes = await file.arrayBuffer();
    let csv = '';
    let garbled = false;

    try {
      csv = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      garbled = true;
    }
    this.setState({ csv, garbled, rows: null });
  };

  /** The same file, mended, is news. @param {any} event */
  forget = ({ target }) => (target.value = '');

  /** @param {boolean} dry */
  async send(dry) {
    const { kind, csv } = this.state;

    this.setState({ busy: true, error: null });
    try {
      const { rows, created } = await api('POST', '/api/admin/import', { kind, csv, dry_run: dry });
      // Between the look and the taking a row may have gone bad: then nothing was taken.
      const taken = !dry && rows.every((/** @type {Row} */ { ok }) => ok);
      const edited = kind !== this.state.kind || csv !== this.state.csv;
      if (edited && !taken) return this.setState({ busy: false }); // its lines are of another text
      this.setState({ rows, created: taken ? created : null, busy: false });
      if (taken) this.props.onDone();
    } catch (error) {
      this.setState({ busy: false, error });
    }
  }

  /** @param {Event} event */
  check = (event) => {
    event.preventDefault();
    this.send(true);
  };

  /** Pressed by mistake, it drops nothing that was pasted. */
  escape = () => {
    const { csv, created } = this.state;

    if (csv && created === null) this.setState({ kept: true });
    else this.props.onClose();
  };

  /** @param {{onClose: () => void}} props @param {State} state */
  render({ onClose }, { kind, csv, rows, created, kept, busy, garbled, error }) {
    const good = rows?.filter(({ ok }) => ok).length ?? 0;
    const bad = (rows?.length ?? 0) - good;

    return html`
      <${Dialog} title=${t('import.title')} onClose=${onClose} onEscape=${this.escape} busy=${busy} wide>
        <form class="stack" onSubmit=${this.check}>
          <fieldset class="kinds"><legend class="sr">${t('import.kind')}</legend>
            ${/** @type {Kind[]} */ (['teachers', 'students']).map((name) => html`
              <label class="check">
                <input type="radio" name="kind" value=${name} checked=${kind === name} disabled=${created !== null}
                onChange=${() => this.setState({ kind: name, rows: null })} /> ${t(`people.${name}`)}</label>`)}
          </fieldset>
          <p>${t(`import.about_${kind}`)} <code dir="ltr">${COLUMNS[kind]}</code></p>
          <${Field} label=${t('import.file')} name="file" type="file" accept=".csv,text/csv"
            onClick=${this.forget} onChange=${this.pick} error=${garbled ? t('import.garbled') : null} />
          <${Field} label=${t('import.paste')} name="csv">${(/** @type {any} */ shared) => html`
            <textarea ...${shared} rows="5" dir="ltr" spellcheck="false" value=${csv} required
              onInput=${(/** @type {any} */ e) =>
                this.setState({ csv: e.target.value, garbled: false, rows: null })}></textarea>`}<//>
          ${error && html`<${Notice} text=${explain(error)} />`}
          <div aria-live="polite">
            ${created !== null ? html`<${Notice} kind="note" text=${t('import.done', { n: created })} />`
              : rows && html`<p>${t('import.good', { n: good })}
                  ${bad > 0 && ` · ${t('import.bad', { n: bad })}. ${t('import.mend')}`}</p>`}
          </div>
          ${rows && created === null && html`<${Preview} rows=${rows} />`}
          ${kept && created === null && html`<${Notice} kind="note"
            text=${t('form.kept', { cancel: t('action.cancel') })} />`}
          <footer>
            <button type="button" disabled=${busy}
              onClick=${onClose}>${t(created === null ? 'action.cancel' : 'action.close')}</button>
            ${created === null && html`<button disabled=${busy || !csv.trim()}
              class=${rows && !bad ? '' : 'primary'}>${t('import.check')}</button>`}
            ${rows && created === null && good > 0 && !bad && html`
              <button type="button" class="primary" disabled=${busy}
                onClick=${() => this.send(false)}>${t('import.take', { n: good })}</button>`}
          </footer>
        </form>
      <//>
    `;
  }
}

/** @param {Row[]} rows */
const badFirst = (rows) => [...rows].sort((a, b) => Number(a.ok) - Number(b.ok) || a.line - b.line);

/** The bad rows first: they are what has to be mended. @param {{rows: Row[]}} props */
const Preview = ({ rows }) => html`
  <div class="preview" tabindex="0" role="region" aria-label=${t('import.preview')}>
    <table>
      <thead><tr><th scope="col" class="n">${t('import.line')}</th><th scope="col">${t('field.name')}</th>
        <th scope="col">${t('import.verdict')}</th></tr></thead>
      <tbody>${badFirst(rows).slice(0, 200).map((row) => html`
        <tr key=${row.line}>
          <td class="n">${number(row.line)}</td><td><bdi>${row.name}</bdi></td>
          <td class=${row.ok ? '' : 'bad'} dir="auto">${row.ok ? t('import.ok') : row.problem}</td>
        </tr>`)}</tbody>
    </table>
  </div>
`;
