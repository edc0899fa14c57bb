// The shapes of the HTTP contract, as the pages read them. Never loaded by a browser.

declare global {
  interface Window {
    /** Questions that boot.js has asked already. */
    asked?: Record<string, { at: number; got?: number; answer: Promise<Response> }>;
  }
}

export type Status = 'sent' | 'active' | 'ended' | 'timeout' | 'cancelled' | 'missed';
export type Attendance = 'present' | 'late' | 'absent' | 'excused';
export type Role = 'admin' | 'teacher';

export interface Named {
  id: number;
  name: string;
}

export interface Presence {
  teacher_minutes: number | null;
  student_minutes: number | null;
  both_minutes: number | null;
}

export interface Session {
  id: number;
  teacher: Named;
  student: Named;
  package_id: string | null;
  package_rate: string | null;
  currency: string | null;
  session_status: Status;
  sent_at: string;
  clicked_at: string | null;
  times_out_at: string | null;
  session_ended_at: string | null;
  session_duration_minutes: number | null;
  ended_by: 'zoom' | 'teacher_left' | 'teacher' | 'admin' | null;
  estimated: boolean;
  provisional?: boolean;
  attendance?: Attendance | null;
  attendance_note?: string | null;
  delivery?: string | null;
  delivery_outcome?: string | null;
  delivery_detail?: string | null;
  presence?: Presence | null;
  explanation?: string | null;
  duration_minutes?: number | null;
}

/** Of which the server makes its sentence about the minutes; what they mean stands in lib/explain.h. */
export interface Explained {
  began_by: 'corrected' | 'reopened' | null;
  together_from: string | null;
  together_to: string | null;
  end_corrected: boolean;
  reopened: boolean;
  withdrawn_by: 'admin' | 'teacher' | 'newer_link' | null;
  link_hours: number;
  duration_minutes: number;
  buffer_minutes: number;
  with_seconds: boolean;
  corrected: boolean;
}

export interface Totals {
  sent: number;
  active: number;
  ended: number;
  timeout: number;
  cancelled: number;
  missed: number;
  minutes: number;
}

export interface SessionList {
  sessions: Session[];
  generated_at: string;
  time_zone: string;
  next_cursor: string | null;
  totals: Totals;
}

export interface Evidence {
  id?: number;
  kind: string;
  happened_at: string;
  received_at: string;
  source: string | null;
  account?: Named | null;
  detail: Record<string, unknown> | null;
}

export interface Me {
  account: { id: number; name: string; email: string; role: Role };
  academy: { name: string; time_zone: string; currency: string };
  now: string;
}

/** Preact's Component as the pages use it: drawn from props and state. */
export declare abstract class Component<P = {}, S = {}> {
  constructor(props: P);
  readonly props: Readonly<P>;
  state: S;
  setState(change: Partial<S>, done?: () => void): void;
  forceUpdate(): void;
  render(props: P, state: S): unknown;
  componentDidMount?(): void;
  componentDidUpdate?(before: P, state: S): void;
  componentWillUnmount?(): void;
  shouldComponentUpdate?(next: P, state: S): boolean;
}
