import { useEffect, useState } from "react";

/** A value once it has stayed the same for a while; the first one, and that there is none, at once. */
export function useSettled<Value>(value: Value | undefined, milliseconds: number): Value | undefined {
  const [settled, setSettled] = useState(value);
  if (settled === undefined && value !== undefined) {
    setSettled(() => value);
  }
  useEffect(() => {
    const timer = setTimeout(() => setSettled(() => value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return value === undefined ? undefined : settled;
}
