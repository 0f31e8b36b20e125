// What the inputs of a form are given.
import type { Json } from '@/api/types';

export interface ValueProps {
  value: Json | undefined;
  id: string;
  described: string;
  invalid: boolean;
  onchange: (value: Json | undefined) => void;
  onleave: () => void;
}

export interface InputProps<Field> extends ValueProps {
  field: Field;
}
