// What a meter is made of. The look of each tone is in base.css (.swatch), for the meter and for its legend.
export type Tone = 'full' | 'striped' | 'dotted';
export interface MeterPart {
  text: string;
  value: number;
  tone: Tone;
}
