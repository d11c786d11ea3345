// What the server offers by now: what is not there is not shown.

export const OFFERED = {
  faultDeeds: true,
  faultHistory: true,
  readings: true,
  notes: true,
  orders: true,
  admin: true,
  backup: false,
};
