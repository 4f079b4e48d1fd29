// SPDX-License-Identifier: Apache-2.0
/** What must be done before anything else works: an own password, a second factor. */
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { signOut, useLookAgain, useMe } from '@/app/session';
import { PasswordChange } from '@/pages/me/PasswordChange';
import { SecondFactorSetup } from '@/pages/me/SecondFactorSetup';
import { Door } from './Door';

export default function FirstSteps() {
  const { t } = useTranslation('signin');
  const me = useMe();
  const again = useLookAgain();
  const password = me.must_change_password;
  return (
    <Door
      title={t(password ? 'first.passwordTitle' : 'first.factorTitle')}
      sub={t(password ? 'first.passwordText' : 'first.factorText')}
    >
      {password ? <PasswordChange onDone={again} /> : <SecondFactorSetup onDone={again} />}
      <Button type="link" block onClick={() => void signOut()}>
        {t('first.out')}
      </Button>
    </Door>
  );
}
