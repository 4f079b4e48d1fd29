// SPDX-License-Identifier: Apache-2.0
/**
 * A field of several lines that grows with its text. The style sheet does it: the library would measure the text in
 * an element with a `style` attribute, which the server's policy (CSP) refuses.
 */
import { Input, type GetProps } from 'antd';

interface Props extends Omit<GetProps<typeof Input.TextArea>, 'autoSize' | 'rows' | 'style'> {
  /** Lines that are always there. */
  least?: number;
  /** With more lines it scrolls. */
  most?: number;
}

/** Above and below the text. */
const EDGES = '10px';

export function TextArea({ least = 2, most = 5, className, ...rest }: Props) {
  return (
    <Input.TextArea
      {...rest}
      rows={least}
      className={className ? `grows ${className}` : 'grows'}
      style={{ minHeight: `calc(${least}lh + ${EDGES})`, maxHeight: `calc(${most}lh + ${EDGES})` }}
    />
  );
}
