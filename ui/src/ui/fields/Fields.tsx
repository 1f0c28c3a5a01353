import { Field, Input, NativeSelect } from "@chakra-ui/react";
import { type ReactNode, useEffect, useEffectEvent, useState } from "react";

import { usePreferences } from "../../host/Host";
import { fieldValue, momentOf } from "../../domain/dates";

const TYPING = 300; // milliseconds

/** A small label above a field of a filter. */
export function Labelled({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Field.Root width="auto" gap={1}>
      <Field.Label fontSize="xs" color="fg.muted">
        {label}
      </Field.Label>
      {children}
    </Field.Root>
  );
}

interface ChoiceFieldProps {
  label: string;
  /** Empty: any. */
  value: string;
  any: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

/** One of several, or any. */
export function ChoiceField({ label, value, any, options, onChange }: ChoiceFieldProps) {
  return (
    <Labelled label={label}>
      <NativeSelect.Root size="sm" width="10.5rem">
        <NativeSelect.Field value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{any}</option>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
    </Labelled>
  );
}

interface TextFieldProps {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
}

/** A text to search by. What is typed is told when the person pauses; a value from outside replaces it. */
export function TextField({ label, hint, value, onChange }: TextFieldProps) {
  const [typed, setTyped] = useState(value);
  const [told, setTold] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    if (value !== told) {
      setTyped(value);
      setTold(value);
    }
  }
  const tell = useEffectEvent(() => {
    setTold(typed);
    onChange(typed);
  });
  useEffect(() => {
    if (typed === told) {
      return undefined;
    }
    const timer = setTimeout(tell, TYPING);
    return () => clearTimeout(timer);
  }, [typed, told]);
  return (
    <Labelled label={label}>
      <Input
        size="sm"
        width="13rem"
        type="search"
        placeholder={hint}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </Labelled>
  );
}

interface DateFieldProps {
  label: string;
  /** ISO 8601. */
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** A moment, typed in the person's time zone. */
export function DateField({ label, value, onChange }: DateFieldProps) {
  const { timeZone } = usePreferences();
  return (
    <Labelled label={label}>
      <Input
        size="sm"
        width="13rem"
        type="datetime-local"
        value={fieldValue(value, timeZone)}
        onChange={(event) => onChange(momentOf(event.target.value, timeZone))}
      />
    </Labelled>
  );
}
