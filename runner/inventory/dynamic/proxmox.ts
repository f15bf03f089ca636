export const proxmoxInventory = () => {
  throw new Error('todo');
};
