// What the pages use of qrcode-generator, whose own types describe no module.

export interface QrCode {
  addData(text: string): void;
  make(): void;
  getModuleCount(): number;
  isDark(row: number, column: number): boolean;
}

export default function qrcode(typeNumber: 0, level: 'L' | 'M' | 'Q' | 'H'): QrCode;
