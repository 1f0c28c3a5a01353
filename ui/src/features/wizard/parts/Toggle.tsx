import { Switch } from "@chakra-ui/react";

interface ToggleProps {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

/** A switch with its label. */
export function Toggle({ label, checked, onChange }: ToggleProps) {
  return (
    <Switch.Root size="sm" colorPalette="brand" checked={checked} onCheckedChange={(to) => onChange(to.checked)}>
      <Switch.HiddenInput />
      <Switch.Control />
      <Switch.Label>{label}</Switch.Label>
    </Switch.Root>
  );
}
