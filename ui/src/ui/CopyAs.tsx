import { Button, Checkbox, chakra, Dialog, HStack, List, Tabs, Text } from "@chakra-ui/react";
import { type ReactNode, useMemo, useRef, useState } from "react";
import { MdCheck, MdContentCopy } from "react-icons/md";

import type { RerunBody } from "../api/types";
import { CONNECTION, notForOperators } from "../domain/copies/operator";
import { copied, type Form, FORMS, TOKEN } from "../domain/copies/texts";
import { host } from "../host/Host";
import { airflowAddress } from "../host/paths";
import { useWords } from "../i18n/words";
import { written } from "./clipboard";
import { LargeDialog } from "./feedback/LargeDialog";

interface CopyAsProps {
  /** Worked out when the dialog opens; undefined: there is nothing to copy yet. */
  body: () => RerunBody | undefined;
  disabled?: boolean;
  /** What isn't the same in the copies. */
  children?: ReactNode;
}

/** A button that shows a rerun as it is asked for elsewhere: in a terminal, a script, a notebook, a Dag. */
export function CopyAs({ body, disabled, children }: CopyAsProps) {
  const { t } = useWords();
  const [shown, setShown] = useState<RerunBody | undefined>();
  return (
    <>
      <Button size="sm" variant="outline" disabled={disabled} onClick={() => setShown(body())}>
        <MdContentCopy aria-hidden="true" />
        {t("copy.open")}
      </Button>
      <LargeDialog
        open={shown !== undefined}
        title={t("copy.title")}
        onClose={() => setShown(undefined)}
        data-testid="copy-as"
      >
        <Dialog.Body display="flex" flexDirection="column" minHeight={0} gap={3}>
          {shown && <Copies body={shown}>{children}</Copies>}
        </Dialog.Body>
      </LargeDialog>
    </>
  );
}

function Copies({ body, children }: { body: RerunBody; children: ReactNode }) {
  const { t } = useWords();
  const [form, setForm] = useState<Form>("curl");
  const [fresh, setFresh] = useState(true);
  const address = airflowAddress(host(), window.location.origin);
  const text = useMemo(
    () => copied(form, fresh ? body : { ...body, plan_token: null }, address),
    [form, fresh, body, address],
  );
  return (
    <>
      {children}
      {form === "operator" ? (
        <NotForOperators body={body} />
      ) : (
        body.plan_token && <Fresh checked={fresh} onChange={setFresh} />
      )}
      <Tabs.Root
        value={form}
        onValueChange={({ value }) => setForm(FORMS.find((each) => each === value) ?? form)}
        colorPalette="brand"
        size="sm"
        display="flex"
        flexDirection="column"
        flex="1"
        minHeight={0}
        lazyMount
        unmountOnExit
      >
        <Tabs.List aria-label={t("copy.title")} flexShrink={0} overflowX="auto" overflowY="hidden">
          {FORMS.map((each) => (
            <Tabs.Trigger key={each} value={each} flexShrink={0} whiteSpace="nowrap">
              {t(`copy.form.${each}`)}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {FORMS.map((each) => (
          <Tabs.Content
            key={each}
            value={each}
            flex="1"
            minHeight={0}
            display="flex"
            flexDirection="column"
            gap={2}
            pt={3}
          >
            <Copyable key={text} label={t(`copy.form.${each}`)} text={text}>
              {each === "operator" ? t("copy.connection", { name: CONNECTION }) : t("copy.login", { name: TOKEN })}
            </Copyable>
          </Tabs.Content>
        ))}
      </Tabs.Root>
    </>
  );
}

function Fresh({ checked, onChange }: { checked: boolean; onChange: (checked: boolean) => void }) {
  const { t } = useWords();
  return (
    <Checkbox.Root
      size="sm"
      colorPalette="brand"
      checked={checked}
      onCheckedChange={(to) => onChange(to.checked === true)}
    >
      <Checkbox.HiddenInput />
      <Checkbox.Control />
      <Checkbox.Label>{t("copy.fresh")}</Checkbox.Label>
    </Checkbox.Root>
  );
}

/** What a task does otherwise than what is copied. */
function NotForOperators({ body }: { body: RerunBody }) {
  const { t } = useWords();
  const differing = notForOperators(body);
  return differing.length === 0 ? null : (
    <List.Root ps={4} color="fg.warning" data-testid="not-for-operators">
      {differing.map((name) => (
        <List.Item key={name}>{t(`copy.operator.${name}`)}</List.Item>
      ))}
    </List.Root>
  );
}

const Shown = chakra("pre", {
  base: {
    flex: "1",
    minHeight: "6rem",
    overflow: "auto",
    borderWidth: "1px",
    borderRadius: "md",
    bg: "bg.subtle",
    p: 3,
    fontFamily: "mono",
    fontSize: "xs",
    lineHeight: "1.5",
  },
});

/** A text, and the button that copies it. Where the browser doesn't let it, the text is selected for the person to do it. */
function Copyable({ label, text, children }: { label: string; text: string; children: ReactNode }) {
  const { t } = useWords();
  const place = useRef<HTMLPreElement>(null);
  const [done, setDone] = useState<boolean | null>(null);
  const copy = async () => {
    const select = () => place.current && window.getSelection()?.selectAllChildren(place.current);
    select(); // for whoever has to copy it by hand
    setDone(await written(text, select));
  };
  return (
    <>
      <Shown ref={place} tabIndex={0} role="region" aria-label={label} data-testid="copy-text">
        {text}
      </Shown>
      <HStack justify="space-between" gap={3} wrap="wrap">
        <Text color="fg.muted" fontSize="xs" flex="1" minWidth="12rem">
          {children}
        </Text>
        <HStack gap={3} aria-live="polite">
          {done === false && <Text color="fg.warning">{t("copy.failed")}</Text>}
          <Button size="sm" colorPalette="brand" onClick={() => void copy()}>
            {done ? <MdCheck aria-hidden="true" /> : <MdContentCopy aria-hidden="true" />}
            {done ? t("copy.done") : t("copy.copy")}
          </Button>
        </HStack>
      </HStack>
    </>
  );
}
